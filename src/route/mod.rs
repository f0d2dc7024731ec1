//! Model routing: decides which model, if any, a task is sent to. Pure functions over their arguments.

pub mod breaker;
pub mod brief;
pub mod budget;
pub mod choice;
pub mod decision;
pub mod early_stop;
pub mod explain;
pub mod forecast;
pub mod key;
pub mod ledger;
pub mod merit;
mod number_format;
pub mod observation;
pub mod offer;
pub mod rates;
mod rejection_text;
pub mod retry;
pub mod roles;
pub mod signals;
pub mod speed;
pub mod stats;
pub mod tally;
pub mod technicality;
pub mod traits;
pub mod tuning;
