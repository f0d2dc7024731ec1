//! What the template says of real commits, against what their authors said.

fn main() {}
