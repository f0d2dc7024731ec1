//! Web addresses of commits and tickets, derived from a remote's address; nothing is fetched.

use super::markdown;
use crate::domain::id::Oid;

/// A commit's short id as code, as a link where its page is known. Markdown.
#[must_use]
pub fn commit_link(links: Option<&WebLinks>, oid: &Oid) -> String {
    let text = markdown::code(oid.short());
    links.map_or_else(|| text.clone(), |links| format!("[{text}]({})", links.commit(oid)))
}

/// A ticket, as a link where its page is known. Markdown.
#[must_use]
pub fn ticket_link(links: Option<&WebLinks>, ticket: &str) -> String {
    let text = markdown::inline(ticket);
    let link = links.and_then(|links| links.ticket(ticket));
    link.map_or_else(|| text.clone(), |link| format!("[{text}]({link})"))
}

/// The web pages of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebLinks {
    base: String,
    kind: ForgeKind,
}

/// How a forge writes its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ForgeKind {
    /// GitHub, Gitea, Forgejo and Codeberg.
    GitHub,
    GitLab,
    Bitbucket,
    SourceHut,
}

impl WebLinks {
    /// Of a remote such as `git@github.com:owner/repo.git` or `https://gitlab.com/group/repo`; `None` for a path, and
    /// for hosts whose way to write addresses is not known.
    #[must_use]
    pub fn from_remote(remote: &str) -> Option<Self> {
        let remote = remote.trim().trim_end_matches('/');
        let (host, path) = match remote.split_once("://") {
            Some(("http" | "https" | "ssh" | "git" | "git+ssh", rest)) => rest.split_once('/')?,
            Some(_) => return None,
            None => remote.split_once(':').filter(|(host, _)| !host.contains('/') && host.len() > 1)?,
        };
        // Credentials and port are no part of a web address.
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = host.split(':').next()?.to_ascii_lowercase();
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let is_plain = |c: char| c.is_alphanumeric() || "-._~/".contains(c);
        if path.split('/').count() < 2 || !path.chars().all(is_plain) || path.split('/').any(|part| part == "..") {
            return None;
        }
        let kind = match host.as_str() {
            "github.com" | "codeberg.org" | "gitea.com" => ForgeKind::GitHub,
            "bitbucket.org" => ForgeKind::Bitbucket,
            "git.sr.ht" => ForgeKind::SourceHut,
            _ if host.starts_with("github.") || host.starts_with("gitea.") || host.starts_with("forgejo.") => {
                ForgeKind::GitHub
            }
            _ if host.contains("gitlab") => ForgeKind::GitLab,
            _ => return None,
        };
        Some(Self { base: format!("https://{host}/{path}"), kind })
    }

    #[must_use]
    pub fn commit(&self, oid: &Oid) -> String {
        let base = &self.base;
        match self.kind {
            ForgeKind::GitHub | ForgeKind::SourceHut => format!("{base}/commit/{oid}"),
            ForgeKind::GitLab => format!("{base}/-/commit/{oid}"),
            ForgeKind::Bitbucket => format!("{base}/commits/{oid}"),
        }
    }

    /// The page of `#12`, `GH-12` or `owner/repo#12`; `None` for another tracker's key.
    #[must_use]
    pub fn ticket(&self, ticket: &str) -> Option<String> {
        let (repo, number) = match ticket.split_once('#') {
            Some((repo, number)) => (repo, number),
            None => ("", ticket.strip_prefix("GH-")?),
        };
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let base = if repo.is_empty() {
            self.base.clone()
        } else {
            let host_end = "https://".len() + self.base["https://".len()..].find('/')?;
            format!("{}/{repo}", &self.base[..host_end])
        };
        match self.kind {
            ForgeKind::GitHub | ForgeKind::Bitbucket => Some(format!("{base}/issues/{number}")),
            ForgeKind::GitLab => Some(format!("{base}/-/issues/{number}")),
            ForgeKind::SourceHut => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_of_known_forges_have_pages_in_all_their_forms() {
        let oid: Oid = "0123456789012345678901234567890123456789".parse().unwrap();
        for (remote, commit, ticket) in [
            (
                "git@github.com:acme/shop.git",
                "https://github.com/acme/shop/commit/",
                "https://github.com/acme/shop/issues/7",
            ),
            (
                "https://me:token@github.com/acme/shop",
                "https://github.com/acme/shop/commit/",
                "https://github.com/acme/shop/issues/7",
            ),
            (
                "ssh://git@gitlab.example.org:2222/a/b/c.git",
                "https://gitlab.example.org/a/b/c/-/commit/",
                "https://gitlab.example.org/a/b/c/-/issues/7",
            ),
            (
                "git@bitbucket.org:acme/shop.git",
                "https://bitbucket.org/acme/shop/commits/",
                "https://bitbucket.org/acme/shop/issues/7",
            ),
        ] {
            let links = WebLinks::from_remote(remote).unwrap();
            assert_eq!(links.commit(&oid), format!("{commit}{oid}"), "{remote}");
            assert_eq!(links.ticket("#7").as_deref(), Some(ticket), "{remote}");
        }
        let links = WebLinks::from_remote("https://github.com/acme/shop").unwrap();
        assert_eq!(links.ticket("other/repo#3").as_deref(), Some("https://github.com/other/repo/issues/3"));
        assert_eq!((links.ticket("SHOP-12"), links.ticket("#x")), (None, None));
    }

    #[test]
    fn paths_and_unknown_hosts_have_none() {
        for remote in [
            "/srv/git/shop.git",
            "../shop",
            "file:///srv/shop",
            "C:/shop",
            "https://git.example.org/a/b",
            "",
            "https://github.com/x",
            "https://github.com/a/../b",
            "git@github.com:a/b c",
        ] {
            assert_eq!(WebLinks::from_remote(remote), None, "{remote}");
        }
    }
}
