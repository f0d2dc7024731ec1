//! Which model a task goes to. Pure: everything it looks at is passed in.

pub mod budget;
pub mod choice;
pub mod choose;
pub mod decision;
pub mod forecast;
pub mod key;
pub mod ledger;
pub mod observation;
pub mod signals;
pub mod speed;
