//! The agent for launchd, read as launchd reads it: a property list in XML, whatever the paths hold.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use uro_capture::config::{Env, Paths};
use uro_capture::sidecar::service::files::{Comments, seal};
use uro_capture::sidecar::service::{Manager, ServiceError, ServiceSettings};

/// Reads the part of the format that agents use; panics at anything that is not well-formed.
struct Plist<'a> {
    rest: &'a str,
}

impl<'a> Plist<'a> {
    fn read(text: &'a str) -> Value {
        let mut plist = Self { rest: text };
        assert!(plist.skip("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"), "{text}");
        while plist.skip("<!--") {
            let comment = plist.until("-->");
            assert!(!comment.contains("--") && !comment.ends_with('-'), "a comment holds no double hyphen: {comment}");
        }
        assert!(plist.skip("<!DOCTYPE plist PUBLIC"), "{text}");
        plist.until(">");
        assert!(plist.skip("<plist version=\"1.0\">"), "{text}");
        let value = plist.value();
        assert!(plist.skip("</plist>") && plist.rest.trim().is_empty(), "left over: {}", plist.rest);
        value
    }

    fn skip(&mut self, token: &str) -> bool {
        let stripped = self.rest.trim_start().strip_prefix(token);
        self.rest = stripped.unwrap_or(self.rest);
        stripped.is_some()
    }

    fn until(&mut self, token: &str) -> &'a str {
        let (before, behind) = self.rest.split_once(token).unwrap_or_else(|| panic!("no {token} in {}", self.rest));
        self.rest = behind;
        before
    }

    /// Character data, and no markup in it.
    fn text(&mut self, end: &str) -> String {
        let raw = self.until(end);
        assert!(!raw.contains(['<', '>']) && !raw.chars().any(char::is_control), "{raw:?}");
        let known = ["&amp;", "&lt;", "&gt;"];
        let is_known = |(at, _): (usize, &str)| known.iter().any(|entity| raw[at..].starts_with(entity));
        assert!(raw.match_indices('&').all(is_known), "{raw:?}");
        raw.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }

    fn value(&mut self) -> Value {
        if self.skip("<dict>") {
            let mut fields = Map::new();
            while self.skip("<key>") {
                let key = self.text("</key>");
                let value = self.value();
                assert_eq!(fields.insert(key.clone(), value), None, "{key} stands twice");
            }
            assert!(self.skip("</dict>"), "{}", self.rest);
            return fields.into();
        }
        if self.skip("<array>") {
            let mut items = Vec::new();
            while !self.skip("</array>") {
                items.push(self.value());
            }
            return items.into();
        }
        match () {
            () if self.skip("<string>") => self.text("</string>").into(),
            () if self.skip("<integer>") => self.text("</integer>").parse::<i64>().unwrap().into(),
            () if self.skip("<true/>") => true.into(),
            () if self.skip("<false/>") => false.into(),
            () => panic!("no value of an agent: {}", self.rest),
        }
    }
}

fn setting(pairs: &[(&str, &str)], program: &Path) -> Result<ServiceSettings, ServiceError> {
    let env = Env::from_pairs(pairs);
    ServiceSettings::from_env(&env, &Paths::resolve(&env, Path::new("/")).unwrap(), program)
}

/// The installed file, and what launchd reads in it.
fn agent(pairs: &[(&str, &str)], program: &Path) -> (PathBuf, Value) {
    let [agent] = Manager::Launchd.files(&setting(pairs, program).unwrap()).try_into().unwrap();
    (agent.path, Plist::read(&seal(&agent.text, Comments::Xml, 2)))
}

#[test]
fn an_agent_says_what_launchd_needs_and_nothing_else() {
    let runtime = format!("/run/user/{}", nix::unistd::getuid());
    let (path, read) = agent(&[("HOME", "/Users/ada"), ("XDG_RUNTIME_DIR", &runtime)], Path::new("/opt/uro-capture"));
    let log = "/Users/ada/.local/state/uroboro/sidecar.service.log";
    let expected = json!({
        "Label": "dev.uroboro.capture",
        "ProgramArguments": ["/opt/uro-capture", "sidecar", "run", "--service"],
        "RunAtLoad": true,
        "KeepAlive": {"SuccessfulExit": false},
        "ProcessType": "Standard",
        "Umask": 0o77,
        "StandardOutPath": log,
        "StandardErrorPath": log,
    });
    assert_eq!(read, expected);
    assert_eq!(path, Path::new("/Users/ada/Library/LaunchAgents/dev.uroboro.capture.plist"));
}

#[test]
fn every_path_is_read_back_as_it_was_given() {
    for name in ["a b", "Q&A", "&amp;", "<key>", "]]>", "--", "it's \"quoted\"", "100%", "größe 登录", "$HOME\\n"] {
        let home = format!("/Users/{name}");
        let program = PathBuf::from(format!("/opt/{name}/uro-capture"));
        let (_, read) = agent(&[("HOME", &home), ("URO_HOME", &home), ("OLLAMA_HOST", "127.0.0.1:1")], &program);
        assert_eq!(read["ProgramArguments"][0], program.to_str().unwrap());
        assert_eq!(read["EnvironmentVariables"], json!({"URO_HOME": home, "OLLAMA_HOST": "127.0.0.1:1"}));
        assert!(read["StandardErrorPath"].as_str().unwrap().starts_with(&home), "{read:#}");
    }
}

#[test]
fn a_path_that_no_property_list_can_hold_is_refused() {
    for name in ["line\nbreak", "bell\u{7}", "tab\t"] {
        let refused = setting(&[("HOME", "/Users/ada")], &PathBuf::from(format!("/opt/{name}/uro-capture")));
        assert!(matches!(refused, Err(ServiceError::NotPlain(_))), "{name:?}");
    }
}
