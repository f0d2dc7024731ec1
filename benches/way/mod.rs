//! The two ways of one request to a model, and the server that both go to.

use std::future::Future;
use std::time::Duration;

use uro_capture::domain::clock::{Clock, SystemClock};

use crate::report::Result;

pub mod bare;
pub mod routed;
pub mod served;

/// Sends `at_once` requests at the same time; how long each of them took.
pub async fn all<F>(at_once: usize, once: impl Fn() -> F) -> Result<Vec<Duration>>
where
    F: Future<Output = Result<()>>,
{
    let mut running: Vec<_> = (0..at_once).map(|_| Box::pin(clocked(once()))).collect();
    let mut done: Vec<Option<Result<Duration>>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in running.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(result) = future.as_mut().poll(context) {
                *done = Some(result);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

async fn clocked(request: impl Future<Output = Result<()>>) -> Result<Duration> {
    let start = SystemClock.instant();
    request.await?;
    Ok(SystemClock.instant() - start)
}
