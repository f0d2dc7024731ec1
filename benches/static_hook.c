/* The least a hook can cost: a static program that ends at once. Everything above it is ours. */
int main(void) { return 0; }
