//! The launch agent for macOS.

use super::{Setting, Text};

pub const LABEL: &str = "dev.uroboro.capture";

/// The agent's file. It is no `Background` process: those are throttled, and a capture has two seconds.
#[must_use]
pub fn file(setting: &Setting) -> Text {
    let path = setting.home.join("Library/LaunchAgents").join(format!("{LABEL}.plist"));
    let arguments: String = [setting.program.as_str(), "sidecar", "run", "--service"]
        .map(|word| format!("\t\t{}\n", string(word)))
        .concat();
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n\
         <dict>\n\
         \t<key>Label</key>\n\
         \t{label}\n\
         \t<key>ProgramArguments</key>\n\
         \t<array>\n{arguments}\t</array>\n\
         {environment}\
         \t<key>RunAtLoad</key>\n\
         \t<true/>\n\
         \t<key>KeepAlive</key>\n\
         \t<dict>\n\
         \t\t<key>SuccessfulExit</key>\n\
         \t\t<false/>\n\
         \t</dict>\n\
         \t<key>ProcessType</key>\n\
         \t{kind}\n\
         \t<key>Umask</key>\n\
         \t<integer>63</integer>\n\
         \t<key>StandardOutPath</key>\n\
         \t{log}\n\
         \t<key>StandardErrorPath</key>\n\
         \t{log}\n\
         </dict>\n\
         </plist>\n",
        label = string(LABEL),
        environment = environment(setting),
        kind = string("Standard"),
        log = string(&setting.log),
    );
    Text { path, text }
}

fn environment(setting: &Setting) -> String {
    if setting.environment.is_empty() {
        return String::new();
    }
    let pairs =
        setting.environment.iter().map(|(name, value)| format!("\t\t<key>{name}</key>\n\t\t{}\n", string(value)));
    format!("\t<key>EnvironmentVariables</key>\n\t<dict>\n{}\t</dict>\n", pairs.collect::<String>())
}

fn string(text: &str) -> String {
    format!("<string>{}</string>", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{awkward, setting};
    use super::*;

    #[test]
    fn the_agent_of_a_person_with_the_usual_places() {
        let file = file(&setting());
        assert_eq!(file.path.to_str(), Some("/home/ada/Library/LaunchAgents/dev.uroboro.capture.plist"));
        insta::assert_snapshot!(file.text);
    }

    #[test]
    fn the_agent_of_a_person_with_awkward_places() {
        insta::assert_snapshot!(file(&awkward()).text);
    }
}
