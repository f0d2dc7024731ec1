//! Turns as futures: granted, given up, preempted. Polled by hand, so that the test controls the order.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Mutex as StdMutex;
use std::task::{Context, Poll, Wake, Waker};

use super::*;
use crate::domain::clock::{FakeClock, SystemClock};

const HOUR: Duration = Duration::from_secs(3600);

fn pool() -> Pool {
    Pool::new(Arc::new(SystemClock))
}

fn wanted(urgency: Urgency) -> TurnRequest<'static> {
    let until = SystemClock.instant() + HOUR;
    TurnRequest { device: "gpu", slots: 1, urgency, lasts: Duration::from_secs(1), until }
}

fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it should have come"),
    }
}

/// Running and waiting.
fn counts(pool: &Pool) -> (usize, usize) {
    let standing = pool.device_statuses();
    (standing[0].running, standing[0].waiting)
}

#[tokio::test]
async fn the_more_urgent_come_first_and_among_equals_the_earlier() {
    use Urgency::{Ahead, Batch, Interactive, Urgent};
    let pool = pool();
    let first = pool.turn(wanted(Interactive)).await.unwrap();
    let order = [Batch, Interactive, Urgent, Ahead, Interactive, Urgent];
    let mut waiting: Vec<_> = order.iter().map(|urgency| Box::pin(pool.turn(wanted(*urgency)))).collect();
    waiting.iter_mut().for_each(|one| assert!(poll(one).is_pending()));
    let mut running = Some(first);
    for next in [2, 5, 1, 4, 3, 0] {
        drop(running.take());
        running = ready(poll(&mut waiting[next]));
        assert!(running.is_some());
        assert_eq!(counts(&pool).0, 1);
    }
    assert_eq!(counts(&pool), (1, 0));
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_the_line_and_an_untaken_turn_goes_to_the_next() {
    let pool = pool();
    let held = pool.turn(wanted(Urgency::Urgent)).await.unwrap();
    let [mut given_up, mut late, mut next] = [(); 3].map(|()| Box::pin(pool.turn(wanted(Urgency::Urgent))));
    assert!([&mut given_up, &mut late, &mut next].into_iter().all(|one| poll(one).is_pending()));
    drop(given_up);
    assert_eq!(counts(&pool), (1, 2));
    drop(held);
    // Its turn was granted, but it is dropped before it is polled.
    assert_eq!(counts(&pool), (1, 1));
    drop(late);
    assert_eq!(counts(&pool), (1, 0));
    drop(ready(poll(&mut next)).unwrap());
    assert_eq!(counts(&pool), (0, 0));
}

#[tokio::test]
async fn a_batch_is_recalled_once_for_a_capture_and_goes_on_after_it() {
    let pool = pool();
    let batch = pool.turn(wanted(Urgency::Batch)).await.unwrap();
    let mut recalled = Box::pin(batch.recalled());
    assert!(poll(&mut recalled).is_pending() && !batch.is_recalled());
    let mut capture = Box::pin(pool.turn(wanted(Urgency::Urgent)));
    assert!(poll(&mut capture).is_pending(), "never two at a time");
    assert!(poll(&mut recalled).is_ready() && batch.is_recalled());
    assert!(poll(&mut Box::pin(batch.recalled())).is_ready(), "a later poll sees it too");
    drop(recalled);
    drop(batch);
    let capture = ready(poll(&mut capture)).unwrap();
    let mut again = Box::pin(pool.turn(wanted(Urgency::Batch)));
    assert!(poll(&mut again).is_pending());
    assert!(poll(&mut Box::pin(capture.recalled())).is_pending(), "a capture is never recalled");
    drop(capture);
    assert!(!ready(poll(&mut again)).unwrap().is_recalled());
    assert_eq!(pool.device_statuses()[0].recalled_total, 1);
}

#[tokio::test]
async fn a_capture_is_not_interrupted_by_an_urgent_one() {
    let pool = pool();
    let capture = pool.turn(wanted(Urgency::Interactive)).await.unwrap();
    let mut urgent = Box::pin(pool.turn(wanted(Urgency::Urgent)));
    assert!(poll(&mut urgent).is_pending() && !capture.is_recalled());
    drop(capture);
    assert!(ready(poll(&mut urgent)).is_some());
}

#[tokio::test]
async fn a_waiting_caller_is_woken_when_the_turn_comes_and_not_before() {
    #[derive(Default)]
    struct Woken(StdMutex<usize>);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let pool = pool();
    let held = pool.turn(wanted(Urgency::Urgent)).await.unwrap();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut next = pin!(pool.turn(wanted(Urgency::Urgent)));
    assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(*woken.0.lock().unwrap(), 0);
    drop(held);
    assert_eq!(*woken.0.lock().unwrap(), 1);
    assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
}

#[tokio::test]
async fn a_turn_that_does_not_come_in_time_is_none_and_leaves_nothing_behind() {
    let pool = pool();
    let held = pool.turn(wanted(Urgency::Urgent)).await.unwrap();
    let over = TurnRequest { until: SystemClock.instant(), ..wanted(Urgency::Urgent) };
    assert!(pool.turn(over).await.is_none());
    assert_eq!(counts(&pool), (1, 0));
    drop(held);
    assert_eq!(counts(&pool), (0, 0));
}

#[tokio::test]
async fn devices_do_not_wait_for_each_other_and_more_slots_let_more_run() {
    let pool = pool();
    let _gpu = pool.turn(wanted(Urgency::Urgent)).await.unwrap();
    assert!(pool.turn(TurnRequest { device: "cpu", ..wanted(Urgency::Batch) }).await.is_some());
    let mut second = Box::pin(pool.turn(wanted(Urgency::Batch)));
    assert!(poll(&mut second).is_pending());
    // The settings were edited meanwhile; the next caller brings them, and those before it get slots as well.
    let third = pool.turn(TurnRequest { slots: 3, ..wanted(Urgency::Batch) }).await;
    assert!(third.is_some() && ready(poll(&mut second)).is_some());
}

#[tokio::test]
async fn the_expected_wait_comes_from_the_running_turns() {
    let clock = Arc::new(FakeClock::at(jiff::Timestamp::UNIX_EPOCH));
    let pool = Pool::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let wait = |urgency| pool.wait("gpu", 1, urgency);
    assert_eq!(wait(Urgency::Urgent), Duration::ZERO);
    let capture = pool.turn(wanted(Urgency::Interactive)).await.unwrap();
    assert_eq!(wait(Urgency::Urgent), Duration::from_secs(1));
    capture.expect(clock.instant() + Duration::from_secs(5));
    clock.advance(Duration::from_secs(2));
    assert_eq!(wait(Urgency::Urgent), Duration::from_secs(3));
}

#[tokio::test]
async fn a_loan_that_is_wanted_back_recalls_the_turn_and_ends_with_it() {
    struct Held(Arc<StdMutex<bool>>);
    impl Drop for Held {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }
    let (pool, given_back) = (pool(), Arc::new(StdMutex::new(false)));
    let (lender, recalled) = tokio::sync::watch::channel(false);
    let loan = Loan { recalled, held: Box::new(Held(Arc::clone(&given_back))) };
    let turn = pool.turn(wanted(Urgency::Batch)).await.unwrap().on_loan(loan);
    assert!(poll(&mut Box::pin(turn.recalled())).is_pending());
    lender.send_replace(true);
    assert!(turn.is_recalled() && poll(&mut Box::pin(turn.recalled())).is_ready());
    drop(turn);
    assert!(*given_back.lock().unwrap());
    assert_eq!(counts(&pool), (0, 0));
}

#[test]
fn under_many_threads_no_caller_is_lost_and_never_more_run_than_there_are_slots() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let (pool, running, done) = (Arc::new(pool()), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let ranks = [Urgency::Urgent, Urgency::Interactive, Urgency::Ahead, Urgency::Batch];
    let one = |at: usize| {
        let (pool, running, done) = (Arc::clone(&pool), Arc::clone(&running), Arc::clone(&done));
        async move {
            let wanted = TurnRequest { slots: 2, ..wanted(ranks[at % 4]) };
            if at % 7 == 3 {
                // Gives up after a poll or two.
                let _ = tokio::time::timeout(Duration::from_micros(at as u64 % 50), pool.turn(wanted)).await;
                return;
            }
            let turn = pool.turn(wanted).await.unwrap();
            assert!(running.fetch_add(1, Ordering::SeqCst) < 2);
            tokio::task::yield_now().await;
            running.fetch_sub(1, Ordering::SeqCst);
            drop(turn);
            done.fetch_add(1, Ordering::SeqCst);
        }
    };
    runtime.block_on(async {
        let mut all: tokio::task::JoinSet<()> = (0..700).map(one).collect();
        while let Some(ended) = all.join_next().await {
            ended.unwrap();
        }
    });
    assert_eq!(done.load(Ordering::SeqCst), 600);
    assert_eq!(counts(&pool), (0, 0));
}
