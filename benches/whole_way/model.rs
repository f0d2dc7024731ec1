//! A stand-in for a model server, speaking as Ollama does: it notes when each question's first byte arrived, and
//! answers at once or never.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, thread};

use jiff::Timestamp;
use uro_capture::domain::clock::{Clock, SystemClock};

use crate::report::Result;

#[derive(Clone, Copy, PartialEq)]
pub enum Manner {
    AnswersAtOnce,
    Silent,
}

pub struct Model {
    address: SocketAddr,
    arrivals: Arc<Mutex<Vec<Timestamp>>>,
}

impl Model {
    /// It serves as long as this process lives.
    pub fn start(manner: Manner) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let model = Self { address: listener.local_addr()?, arrivals: Arc::default() };
        let arrivals = Arc::clone(&model.arrivals);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let arrivals = Arc::clone(&arrivals);
                // A client that hangs up ends its connection, nothing else.
                thread::spawn(move || serve(&stream, manner, &arrivals).is_ok());
            }
        });
        Ok(model)
    }

    /// Makes it the model of this home, asked within `budget`.
    pub fn settle(&self, home: &Path, budget: &str) -> Result<()> {
        settings(home, &format!("http://{}", self.address), budget)
    }

    /// When the questions' first bytes arrived, so far.
    pub fn arrivals(&self) -> Vec<Timestamp> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Nothing listens where this home's model is looked for.
pub fn dead(home: &Path) -> Result<()> {
    settings(home, "http://127.0.0.1:9", "2s")
}

fn settings(home: &Path, url: &str, budget: &str) -> Result<()> {
    fs::create_dir_all(home.join("config"))?;
    let text = format!(
        "[capture]\nbudget = \"{budget}\"\n[models]\ncapture = \"bench:1b\"\n\
         [[endpoints]]\nname = \"local\"\nurl = \"{url}\"\n"
    );
    Ok(fs::write(home.join("config/capture.toml"), text)?)
}

const TAGS: &str = r#"{"models":[{"name":"bench:1b","model":"bench:1b","details":{"family":"llama"}}]}"#;
const ANSWER: &str = concat!(
    r#"{"model":"bench:1b","message":{"role":"assistant","content":"Changes a lot of lines"},"done":false}"#,
    "\n",
    r#"{"model":"bench:1b","message":{"role":"assistant","content":"."},"done":false}"#,
    "\n",
    r#"{"model":"bench:1b","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","#,
    r#""prompt_eval_count":200,"eval_count":8,"load_duration":1000000}"#,
    "\n"
);

fn serve(stream: &TcpStream, manner: Manner, arrivals: &Mutex<Vec<Timestamp>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while !reader.fill_buf()?.is_empty() {
        let arrived = SystemClock.now();
        let path = read(&mut reader)?;
        let body = match path.as_str() {
            "/api/chat" | "/v1/chat/completions" => {
                arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(arrived);
                ANSWER
            }
            "/api/version" => r#"{"version":"0.12.0"}"#,
            _ => TAGS,
        };
        if manner == Manner::Silent && body == ANSWER {
            continue;
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length";
        (&mut &*stream).write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    }
    Ok(())
}

/// Reads one request to its end; gives its path.
fn read(reader: &mut impl BufRead) -> std::io::Result<String> {
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    Ok(first.split(' ').nth(1).unwrap_or_default().to_owned())
}
