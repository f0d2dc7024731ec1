//! Nothing leaves the machine: foreign addresses in every disguise, proxies, redirects. Listeners stand where
//! a leak would go.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crate::harness::World;
use crate::harness::fake_llm::{Behaviour, FakeLlm, MODEL, Shape};

/// Counts whoever connects, until it is dropped.
struct Listener {
    address: SocketAddr,
    seen: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (seen, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let address = listener.local_addr().unwrap();
        let (count, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                count.fetch_add(1, Ordering::Relaxed);
                let _heard = stream.read(&mut [0; 64]);
            }
        });
        Self { address, seen, stop, thread: Some(thread) }
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::Relaxed)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(std::net::TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

const NOTE: &str = "A thought about the login timeout";
/// What a model makes of it.
const ANSWER: &str = "A thought about the timeout of the login.";

const PROXIES: [&str; 6] = ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY", "HTTPS_PROXY"];

#[test]
fn no_proxy_is_asked_whatever_the_environment_says() {
    let proxy = Listener::start();
    let server = FakeLlm::start(Behaviour::Answer(ANSWER.to_owned()));
    let world = World::with_fake(&server);
    let repo = world.repo("repo");
    for kind in ["http", "socks5"] {
        let mut command = world.program(env!("CARGO_BIN_EXE_uro-capture"), &repo);
        for name in PROXIES {
            command.env(name, format!("{kind}://{}", proxy.address));
        }
        let out = command.args(["--json", NOTE]).output().unwrap();
        let capture: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(capture["summary"], ANSWER, "{capture:#}");
    }
    assert_eq!(proxy.seen(), 0);
}

#[test]
fn foreign_addresses_in_every_disguise_are_refused_before_anything_is_sent() {
    let proxy = Listener::start();
    let port = proxy.address.port();
    // Names that begin like this machine's, numbers that look like none, and addresses of the network.
    let foreign = [
        format!("http://localhost.evil.example:{port}"),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("http://localhost.:{port}.evil.example"),
        format!("http://[::ffff:8.8.8.8]:{port}"),
        format!("http://134744072:{port}"),
        format!("http://0x08080808:{port}"),
        format!("http://8.8.8.8:{port}"),
        format!("http://192.168.0.1:{port}"),
        format!("http://169.254.169.254:{port}"),
        format!("http://127.0.0.1:{port}@8.8.8.8"),
        format!("http://user:pw@127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port}"),
    ];
    for url in foreign {
        let world = World::new();
        let settings = format!(
            "[models]\ncapture = \"{MODEL}\"\n[[endpoints]]\nname = \"test\"\nurl = \"{url}\"\napi = \"ollama\"\n"
        );
        world.configure(&settings);
        let mut command = world.program(env!("CARGO_BIN_EXE_uro-capture"), &world.path("home"));
        for name in PROXIES {
            command.env(name, format!("http://{}", proxy.address));
        }
        let out = command.args(["--json", NOTE]).output().unwrap();
        if out.status.success() {
            let capture: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
            assert_eq!(capture["provenance"]["by"], "template", "{url}: {capture:#}");
            assert_eq!(capture["provenance"]["reason"], "refused", "{url}: {capture:#}");
            assert!(capture["timing"]["total_ms"].is_number(), "{url}: {capture:#}");
        } else {
            let text = String::from_utf8_lossy(&out.stderr).into_owned();
            assert!(text.contains("hint:"), "{url}: {text}");
        }
    }
    assert_eq!(proxy.seen(), 0);
}

#[test]
fn any_address_means_this_machine_and_a_redirect_is_not_followed() {
    let server = FakeLlm::start(Behaviour::Answer(ANSWER.to_owned()));
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    for host in ["0.0.0.0", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
        let world = World::new();
        let settings = format!(
            "[models]\ncapture = \"{MODEL}\"\n[[endpoints]]\nname = \"t\"\nurl = \"http://{host}:{port}\"\napi = \"ollama\"\n"
        );
        world.configure(&settings);
        let line = world.ok(&world.path("home"), &["--json", NOTE]);
        let capture: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(capture["summary"], ANSWER, "{host}: {line}");
    }
    for shape in [Shape::Ollama, Shape::Openai] {
        let server = FakeLlm::everywhere(shape, Behaviour::Redirect);
        let world = World::new();
        world.configure(&format!("[[endpoints]]\nname = \"t\"\nurl = \"{}\"\n", server.url()));
        world.ok(&world.path("home"), &["--json", NOTE]);
        assert!(!server.requests().is_empty() && !server.redirect_was_followed());
    }
}
