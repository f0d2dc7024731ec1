//! Which model a task goes to. Pure: everything it looks at is passed in.

pub mod choose;
