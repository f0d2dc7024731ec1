//! Processes that do nothing but keep processors busy.

use std::io;
use std::process::{Child, Command, Stdio};

/// As many as are wanted; all end with this.
#[derive(Debug, Default)]
pub struct Busy(Vec<Child>);

impl Busy {
    pub fn keep(&mut self, processes: usize) -> io::Result<()> {
        while self.0.len() > processes {
            self.0.pop().map_or(Ok(()), end)?;
        }
        while self.0.len() < processes {
            self.0.push(Command::new("yes").stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
        }
        Ok(())
    }

    pub fn processes(&self) -> usize {
        self.0.len()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        while let Some(child) = self.0.pop() {
            // One that has already ended is as good.
            let _ = end(child);
        }
    }
}

fn end(mut child: Child) -> io::Result<()> {
    child.kill()?;
    child.wait().map(|_| ())
}
