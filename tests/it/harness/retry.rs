//! A commit that several tests make, and what a model may say of it.

/// The content of `a.rs`.
pub const CODE: &str = "fn retry() { login(3, backoff(delay)) }\n";
pub const SUBJECT: &str = "Try a login three times";
/// A model's sentence: true of the commit, and more than its template tells.
pub const SAID: &str = "Adds the function retry with a backoff delay before each login.";
/// True as well, and no more than its template tells.
pub const SAID_LESS: &str = "Adds the function retry.";
/// The text of no model, where the commit is the first of its repository.
pub const UNASKED: &str = "Try a login three times. The first commit: 1 file with `retry`. +1 in a.rs.";
/// The text in which the model's sentence stands then.
pub const TEXT: &str =
    "Try a login three times. Adds the function retry with a backoff delay before each login. +1 in a.rs.";
