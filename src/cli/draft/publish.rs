//! `draft publish`: an accepted draft as a page, a post or a note, on disk, on the clipboard or at a webhook. A
//! different file is never overwritten, and nothing is posted without an answer of the user.

mod files;
mod webhook;

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::app::App;
use crate::cli::clipboard;
use crate::cli::failure::Failure;
use crate::cli::ui::Exit;
use crate::config::WebhookConfig;
use crate::domain::draft::{Draft, DraftState};
use crate::publish::document;
use crate::publish::draft_page::{DraftPage, PageFormat};
use crate::publish::social::{self, Network, Post};

/// What to make of the draft, and where to.
#[derive(Debug, Clone, Args)]
pub struct PublishArgs {
    /// A draft's id, shortened as far as it is unambiguous
    pub id: String,
    /// A directory, - for standard output, or the name of a webhook in the settings
    #[arg(long, value_name = "DIR", default_value = "-")]
    pub to: String,
    /// With the front matter of a site generator or in another form; feed: an item of DIR/feed.json
    #[arg(long, value_name = "FORMAT", default_value = "markdown", value_parser = PossibleValuesParser::new(PageFormat::NAMES).try_map(|name| PageFormat::parse(&name).ok_or("no format")))]
    pub format: PageFormat,
    /// As a post that fits a network, or a thread of them
    #[arg(long, value_name = "NETWORK", conflicts_with = "format", value_parser = PossibleValuesParser::new(Network::NAMES).try_map(|name| Network::parse(&name).ok_or("no network")))]
    pub network: Option<Network>,
    /// A Markdown file to add it to, such as a daily note: %Y-%m-%d is the draft's last day
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "format", "network", "copy"])]
    pub into: Option<String>,
    /// The heading in that file under which it stands
    #[arg(long, value_name = "HEADING", requires = "into")]
    pub under: Option<String>,
    /// Copy to the clipboard instead of printing
    #[arg(long, conflicts_with = "to")]
    pub copy: bool,
    /// Accept it first when it is ready
    #[arg(long)]
    pub accept: bool,
    /// Show what would be written or sent; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Send to a webhook without asking
    #[arg(long, requires = "to")]
    pub yes: bool,
}

/// A published draft and what became of it.
#[derive(serde::Serialize)]
struct Published<'a> {
    #[serde(flatten)]
    draft: &'a Draft,
    path: Option<&'a Path>,
    markdown: &'a str,
    /// As it was printed, written, copied or sent.
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    posts: Option<&'a [Post]>,
    /// The webhook's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_to: Option<&'a str>,
}

/// Where the content goes.
enum Target<'a> {
    Output,
    Clipboard,
    Folder(PathBuf),
    Note(PathBuf),
    Webhook(&'a WebhookConfig),
}

pub fn run(app: &App, args: &PublishArgs) -> Result<Exit, Failure> {
    let (store, mut draft) = super::open_draft(app, &args.id)?;
    if draft.is_acceptable() && args.accept && !args.dry_run {
        draft = super::accept(app, store.as_ref(), &draft)?;
    }
    let is_preview = args.dry_run && draft.state == DraftState::Ready;
    if !(is_preview || matches!(draft.state, DraftState::Accepted | DraftState::Published)) {
        return Err(super::wrong_state(&draft, "published"));
    }
    let page = DraftPage::of(&draft, &app.zone);
    let target = resolve_target(app, args, &page)?;
    let posts = args.network.map(|network| make_posts(&page, network)).transpose()?;
    let (content, path) = write(args, &page, &target, posts.as_deref())?;
    if !deliver(app, args, &page, &target, &content)? {
        app.ui.note("nothing was sent");
        return Ok(Exit::Done);
    }
    // Marked as published only after the write.
    let published = if args.dry_run {
        draft.clone()
    } else {
        super::change_state(app, store.as_ref(), &draft, &[DraftState::Accepted], DraftState::Published)?
    };
    let (path, markdown) = (path.as_deref(), document::page(&draft.title, &draft.body));
    let sent_to = match &target {
        Target::Webhook(webhook) if !args.dry_run => Some(webhook.name.as_str()),
        _ => None,
    };
    if app.json {
        let posts = posts.as_deref();
        app.ui.json(&Published { draft: &published, path, markdown: &markdown, content: &content, posts, sent_to })?;
    } else if let Some(path) = path {
        let path = path.display().to_string();
        if args.dry_run { app.ui.note(&format!("this would be {path}")) } else { app.ui.line(&path)? }
    }
    Ok(Exit::Done)
}

/// Makes the content, and writes it where the target is a file.
fn write(
    args: &PublishArgs,
    page: &DraftPage<'_>,
    target: &Target<'_>,
    posts: Option<&[Post]>,
) -> Result<(String, Option<PathBuf>), Failure> {
    let content = || posts.map_or_else(|| page.content(args.format), join);
    Ok(match target {
        Target::Output | Target::Clipboard => (content(), None),
        Target::Webhook(_) => (webhook::payload(page)?, None),
        Target::Note(path) => {
            (files::add_to_note(path, page, args.under.as_deref(), args.dry_run)?, Some(path.clone()))
        }
        Target::Folder(folder) if args.format == PageFormat::Feed => {
            let path = folder.join(page.file_name(args.format));
            (files::add_to_feed(&path, page, args.dry_run)?, Some(path))
        }
        Target::Folder(folder) => {
            let name = match args.network {
                Some(network) => format!("{}-{}.txt", page.slug, network.as_str()),
                None => page.file_name(args.format),
            };
            let (path, content) = (folder.join(name), content());
            if !args.dry_run {
                files::create(&path, &content, &page.id)?;
            }
            (content, Some(path))
        }
    })
}

/// Prints, copies or sends the content. False if the user did not want it sent.
fn deliver(
    app: &App,
    args: &PublishArgs,
    page: &DraftPage<'_>,
    target: &Target<'_>,
    content: &str,
) -> Result<bool, Failure> {
    let is_shown = args.dry_run || matches!(target, Target::Output | Target::Webhook(_));
    if is_shown && !app.json {
        app.ui.raw(content.as_bytes())?;
    }
    match target {
        Target::Clipboard if !args.dry_run => {
            let how = clipboard::copy(app, content)?;
            app.ui.note(&format!("copied to the clipboard with {how}"));
        }
        Target::Webhook(webhook) if !args.dry_run => {
            let is_sent = webhook::send(app, webhook, content, args.yes, &page.id)?;
            if is_sent {
                app.ui.note(&format!("sent to {}", webhook.url));
            }
            return Ok(is_sent);
        }
        _ => {}
    }
    Ok(true)
}

fn resolve_target<'a>(app: &'a App, args: &PublishArgs, page: &DraftPage<'_>) -> Result<Target<'a>, Failure> {
    if args.copy {
        return Ok(Target::Clipboard);
    }
    if let Some(pattern) = &args.into {
        return files::resolve_note(app, pattern, page).map(Target::Note);
    }
    if args.to == "-" {
        return Ok(Target::Output);
    }
    let folder = app.cwd.join(&args.to);
    let Some(webhook) = app.config().publish.iter().find(|webhook| webhook.name == args.to) else {
        return Ok(Target::Folder(folder));
    };
    if folder.is_dir() {
        return Err(Failure::usage(format!("{:?} is a directory and a webhook", args.to))
            .hint(format!("uro-capture draft publish {} --to ./{}", page.id, args.to)));
    }
    if args.network.is_some() || args.format != PageFormat::Markdown {
        return Err(Failure::usage("a webhook gets the draft in all forms at once")
            .hint(format!("uro-capture draft publish {} --to {}", page.id, args.to)));
    }
    Ok(Target::Webhook(webhook))
}

/// The text without the list of what it was made from.
fn make_posts(page: &DraftPage<'_>, network: Network) -> Result<Vec<Post>, Failure> {
    social::thread(&page.post_text(), network).map_err(|link| {
        Failure::input(format!("a link is longer than a post of {}: {}", network.as_str(), link.0))
            .hint(format!("uro-capture draft edit {}", page.id))
    })
}

/// A thread as text, its posts apart.
fn join(posts: &[Post]) -> String {
    posts.iter().map(|post| post.text.as_str()).collect::<Vec<_>>().join("\n\n---\n\n") + "\n"
}
