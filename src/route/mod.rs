//! Which model a task goes to. Pure: everything it looks at is passed in.

pub mod breaker;
pub mod brief;
pub mod budget;
pub mod choice;
pub mod decision;
pub mod explain;
pub mod forecast;
pub mod key;
pub mod ledger;
pub mod merit;
mod objection;
pub mod observation;
pub mod offer;
pub mod pace;
pub mod rates;
pub mod retry;
pub mod roles;
pub mod signals;
pub mod speed;
pub mod tally;
pub mod technicality;
pub mod traits;
pub mod tuning;
mod wording;
