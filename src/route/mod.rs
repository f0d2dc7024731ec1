//! Model routing: decides which model, if any, a task is sent to. Pure functions over their arguments.

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
