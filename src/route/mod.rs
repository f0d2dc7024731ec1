//! Which model a task goes to. Pure: everything it looks at is passed in.

pub mod breaker;
pub mod budget;
pub mod choice;
pub mod choose;
pub mod decision;
pub mod forecast;
pub mod key;
pub mod ledger;
pub mod merit;
pub mod observation;
pub mod roles;
pub mod signals;
pub mod speed;
pub mod traits;
