//! The program git runs after a commit. Exits 0 whatever happens and prints nothing, not even a panic.

use std::panic;

fn main() {
    panic::set_hook(Box::new(|_| {}));
    // Whatever went wrong, the commit is made and git has nothing to learn from us.
    let _ = panic::catch_unwind(uro_capture::hook::serve);
}
