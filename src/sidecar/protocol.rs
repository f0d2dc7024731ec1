//! Wire protocol of the control socket: one JSON line each way. Only a loan has more than one answer, and lasts as long
//! as its connection.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::dispatch::RouterStatus;
use crate::domain::id::CaptureId;
use crate::pipeline::preview::{PreviewRequest, RoutePreview};
use crate::route::signals::Urgency;

/// Raised when the meaning of a message changes; a sidecar with another version is asked to hand over.
pub const PROTOCOL: u32 = 3;

/// Longest line that is read, in bytes.
pub const LINE_LIMIT: u64 = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    Ping,
    /// Ask the model for this stored, pending capture; answered when it is final.
    Enrich {
        id: CaptureId,
        stamp: jiff::Timestamp,
        git_dir: Option<PathBuf>,
    },
    /// The list of registered repositories has changed: watch those; answered when they are watched.
    Reload,
    /// Preview the routing of a text; answered with the decision. Nothing is written or stored.
    Route {
        question: PreviewRequest,
    },
    /// The queues of all devices, and the open circuit breakers.
    #[serde(rename = "standing")]
    RouterStatus,
    /// Request a device for another process: `Queued` at once, `Lent` with its turn, `Recalled` when the device is
    /// wanted back. The client returns it by closing the connection, or by sending anything more.
    Borrow {
        device: String,
        /// How many requests the device takes at a time.
        slots: usize,
        urgency: Urgency,
        /// Expected duration of the use.
        lasts_ms: u64,
    },
    /// Drain and leave.
    Stop,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Response {
    Status(Vitals),
    Done,
    Refused {
        message: String,
    },
    Decided {
        foreseen: Box<RoutePreview>,
    },
    #[serde(rename = "standing")]
    RouterStatus(RouterStatus),
    Queued,
    Lent,
    Recalled,
}

/// Answer to a ping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vitals {
    pub protocol: u32,
    pub version: String,
    pub pid: u32,
    pub uptime_s: u64,
    pub queue_depth: u64,
    #[serde(flatten)]
    pub attention: Attention,
}

/// Coverage of the watcher.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attention {
    /// Repositories that are watched, with their logs read up to now.
    pub watched: usize,
    /// Directories that are watched for that.
    pub watches: usize,
    /// Repositories that give no events and are looked at every few seconds.
    pub polled: usize,
    /// Repositories without hook reports: for them the sidecar stays beyond its idle time.
    pub depending: usize,
}

/// The public JSON of `sidecar status` and of `status`'s `sidecar` field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SidecarStatus {
    pub state: SidecarState,
    pub version: Option<String>,
    pub pid: Option<u32>,
    pub uptime_s: Option<u64>,
    pub queue_depth: Option<u64>,
    #[serde(flatten)]
    pub attention: Option<Attention>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SidecarState {
    Running,
    Stopped,
    /// It holds the lock and answers nothing.
    Unresponsive,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_line_of_json_and_come_back_as_they_were() {
        let ping = serde_json::to_string(&Request::Ping).unwrap();
        assert_eq!(ping, r#"{"op":"ping"}"#);
        let attention = Attention { watched: 4, watches: 12, polled: 1, depending: 2 };
        let vitals = Vitals { protocol: 1, version: "0".into(), pid: 1, uptime_s: 2, queue_depth: 3, attention };
        let line = serde_json::to_string(&Response::Status(vitals.clone())).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Response>(&line).unwrap(), Response::Status(vitals));
    }

    #[test]
    fn a_loan_is_asked_for_and_made_in_one_line_each() {
        let borrow = Request::Borrow { device: "gpu".into(), slots: 1, urgency: Urgency::Batch, lasts_ms: 60_000 };
        let line = serde_json::to_string(&borrow).unwrap();
        assert_eq!(line, r#"{"op":"borrow","device":"gpu","slots":1,"urgency":"batch","lasts_ms":60000}"#);
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), borrow);
        assert_eq!(serde_json::to_string(&Response::Lent).unwrap(), r#"{"answer":"lent"}"#);
    }

    #[test]
    fn a_decision_and_the_routers_state_come_back_as_they_were() {
        use crate::dispatch::Broken;
        use crate::pipeline::preview::PreviewTopic;
        use crate::route::breaker::BreakerState;
        let question = PreviewRequest { about: PreviewTopic::Note(None), git_dir: None, urgent: true };
        let route = Request::Route { question };
        let line = serde_json::to_string(&route).unwrap();
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), route);
        let broken = Broken { endpoint: "e".into(), model: None, state: BreakerState::HalfOpen, probe_in_s: Some(1.5) };
        let answer = Response::RouterStatus(RouterStatus { devices: Vec::new(), broken: vec![broken] });
        let line = serde_json::to_string(&answer).unwrap();
        assert!(line.starts_with(r#"{"answer":"standing","#) && !line.contains('\n'), "{line}");
        assert_eq!(serde_json::from_str::<Response>(&line).unwrap(), answer);
    }

    #[test]
    fn a_sidecar_that_says_nothing_of_watching_is_understood() {
        let line = r#"{"answer":"status","protocol":1,"version":"0","pid":1,"uptime_s":2,"queue_depth":3}"#;
        let Response::Status(vitals) = serde_json::from_str(line).unwrap() else { panic!() };
        assert_eq!(vitals.attention, Attention::default());
    }

    #[test]
    fn the_numbers_stand_beside_the_others() {
        let attention = Some(Attention { watched: 4, watches: 12, polled: 1, depending: 2 });
        let status = SidecarStatus {
            state: SidecarState::Running,
            version: None,
            pid: None,
            uptime_s: None,
            queue_depth: None,
            attention,
        };
        let json = serde_json::to_value(&status).unwrap();
        assert_eq!((&json["watched"], &json["watches"], &json["polled"]), (&4.into(), &12.into(), &1.into()));
        assert_eq!(serde_json::from_value::<SidecarStatus>(json).unwrap(), status);
    }
}
