//! Every environment variable that is read, in one place; raw reads elsewhere are banned.
