//! Published pages in the hands of what reads them: Hugo builds a site, MDX is compiled and run, front matter goes
//! through parsers of YAML and TOML, HTML through a parser. `tests/support/sites.sh` installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use uro_capture::publish::mdx;

use crate::harness::World;
use crate::harness::week::week;
use crate::llama::{python, support};
use crate::setups::stage::{skip, tools};

/// Title and body of a draft each.
const PAGES: [(&str, &str); 3] = [
    (
        "日本-api: \"{{ quotes }}\" & 'C:\\dir' {% raw %} <b> #1 [x]",
        "Use {{< figure >}} and `{{% note %}}` and {b} and `{c}`.\n\n<script>alert(1)</script>\n\n- one <b>\n- `two`\n",
    ),
    (
        "中国-api - yes: no | null # \t~ @ `x` !tag &a *b %c \u{7f}\u{2028}.",
        "export const a = 1\n\nimport {a} from 'b'\n\n```yaml\na: {{ .Values.b }} {c} <d>\n```\n\n[a](javascript:alert(1)) <https://a.example>\n",
    ),
    ("---", "> quoted {a}\n\n| a | b |\n|---|---|\n| `{x}` | {y} |\n\n<!-- {z} --> {# n #} <%= t %> ${u}\n"),
];

/// The days of the week's commits, one for each page.
const DAYS: [&str; 3] = ["2026-03-02", "2026-03-03", "2026-03-04"];

/// The accepted drafts with the texts above.
fn accepted(world: &World) -> (PathBuf, Vec<String>) {
    let repo = week(world);
    let new =
        |day: &&str| world.json(&repo, &["draft", "new", "devlog", "--day", day])["id"].as_str().unwrap().to_owned();
    let ids: Vec<String> = DAYS.iter().map(new).collect();
    world.ok(&repo, &["draft", "run"]);
    for ((title, body), id) in PAGES.iter().zip(&ids) {
        std::fs::write(repo.join("body.md"), body).unwrap();
        world.ok(&repo, &["draft", "edit", id, &format!("--title={title}"), "--body", "body.md"]);
        world.ok(&repo, &["draft", "accept", id]);
    }
    (repo, ids)
}

/// Publishes all drafts in a format; gives the files.
fn publish(world: &World, (repo, ids): &(PathBuf, Vec<String>), format: &str, folder: &Path) -> Vec<PathBuf> {
    std::fs::create_dir_all(folder).unwrap();
    let to = folder.to_str().unwrap();
    let path = |id: &String| world.ok(repo, &["draft", "publish", id, "--format", format, "--to", to]);
    ids.iter().map(|id| PathBuf::from(path(id).trim_end())).collect()
}

/// The JSON that a program prints.
fn read(command: &mut Command) -> Value {
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    serde_json::from_slice(&out.stdout).unwrap_or_else(|error| panic!("{command:?}: {error}\n{said}"))
}

fn read_page(mode: &str, path: &Path) -> Value {
    read(Command::new(python()).arg(support("read_page.py")).arg(mode).arg(path))
}

/// What a page says, without what each form shows in its own way: tables and autolinks are text to MDX, and a code span
/// with a delimiter is text with backticks to Hugo.
fn letters(page: &Value) -> String {
    page["text"].as_str().unwrap().replace([' ', '|', '<', '>', '-', '`', '\u{2060}'], "")
}

fn has(name: &str, check: &mut Command) -> bool {
    let has = check.output().is_ok_and(|out| out.status.success());
    if !has {
        skip(name);
    }
    has
}

fn has_mdx() -> bool {
    has("the MDX compiler", Command::new("node").arg("--version")) && tools().join("node_modules/@mdx-js/mdx").is_dir()
}

#[test]
fn front_matter_means_the_same_to_parsers_of_yaml_and_toml() {
    if !has("PyYAML", Command::new(python()).args(["-c", "import yaml, tomllib"])) {
        return;
    }
    let world = World::without_models();
    let drafts = accepted(&world);
    for format in ["hugo", "jekyll", "zola", "astro", "devto"] {
        for (n, path) in publish(&world, &drafts, format, &world.path(format)).iter().enumerate() {
            let data = read_page("front", path);
            let day = DAYS[n];
            assert_eq!(data["title"], PAGES[n].0, "{format}");
            if format == "devto" {
                assert_eq!(data["tags"], "devlog, shop", "{data:#}");
            } else {
                let tags = if format == "zola" { &data["extra"]["tags"] } else { &data["tags"] };
                assert_eq!(*tags, serde_json::json!(["devlog", "shop"]), "{data:#}");
                assert_eq!(data["slug"], format!("{day}-devlog-shop"), "{format}");
                let date = if format == "astro" { &data["pubDate"] } else { &data["date"] };
                assert_eq!(*date, format!("{day} 00:00:00+00:00"), "{format}");
            }
            let draft = if ["jekyll", "devto"].contains(&format) { ("published", false) } else { ("draft", true) };
            assert_eq!(data[draft.0], draft.1, "{format}: a draft by default");
        }
    }
}

#[test]
fn hugo_builds_a_site_in_which_every_page_says_what_the_draft_says() {
    let hugo = tools().join("bin/hugo");
    if !has("Hugo", Command::new(&hugo).arg("version")) {
        return;
    }
    let world = World::without_models();
    let drafts = accepted(&world);
    let site = world.path("site");
    publish(&world, &drafts, "hugo", &site.join("content/posts"));
    let html = publish(&world, &drafts, "html", &world.path("html"));
    std::fs::create_dir_all(site.join("layouts")).unwrap();
    let quiet = "[markup.goldmark.extensions]\ntypographer = false\n";
    std::fs::write(site.join("hugo.toml"), format!("title = 'x'\nbaseURL = 'https://a.example/'\n{quiet}")).unwrap();
    std::fs::write(site.join("layouts/single.html"), "<h1>{{ .Title }}</h1>\n{{ .Content }}").unwrap();
    let build = |more: &[&str]| {
        let mut build = world.program(&hugo, &site);
        let out = build
            .args(["--quiet", "--disableKinds", "home,section,taxonomy,term,RSS,sitemap,404"])
            .args(more)
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr)
        );
    };
    build(&[]);
    assert!(!site.join("public/posts").exists(), "a draft is not built");
    build(&["--buildDrafts"]);
    for (n, day) in DAYS.iter().enumerate() {
        let built = read_page("html", &site.join(format!("public/posts/{day}-devlog-shop/index.html")));
        let ours = read_page("html", &html[n]);
        // The page of its own says its title in its head, too.
        let own = letters(&ours);
        assert!(own.ends_with(&letters(&built)), "{}\n{own}", letters(&built));
        assert!(!built["tags"].as_array().unwrap().contains(&"script".into()), "{built:#}");
    }
}

#[test]
fn html_has_no_script_and_no_address_but_of_the_web() {
    let world = World::without_models();
    let drafts = accepted(&world);
    for path in publish(&world, &drafts, "html", &world.path("html")) {
        let page = read_page("html", &path);
        let known = [
            "body", "code", "h1", "head", "html", "li", "meta", "p", "pre", "title", "ul", "a", "blockquote", "table",
            "tbody", "td", "th", "thead", "tr",
        ];
        assert!(page["tags"].as_array().unwrap().iter().all(|tag| known.contains(&tag.as_str().unwrap())), "{page:#}");
        let safe = |address: &Value| address.as_str().unwrap().starts_with("https://");
        assert!(page["addresses"].as_array().unwrap().iter().all(safe), "{page:#}");
    }
}

#[test]
fn mdx_compiles_and_renders_what_the_html_says() {
    if !has_mdx() {
        return;
    }
    let world = World::without_models();
    let drafts = accepted(&world);
    let folder = world.path("mdx");
    let files = publish(&world, &drafts, "mdx", &folder);
    let html = publish(&world, &drafts, "html", &world.path("html"));
    let compiled = compile(&folder);
    for (n, file) in files.iter().enumerate() {
        let page = &compiled[file.file_name().unwrap().to_str().unwrap()];
        assert_eq!(page["data"]["title"], PAGES[n].0, "{page:#}");
        let rendered = world.path("rendered.html");
        std::fs::write(&rendered, page["html"].as_str().unwrap_or_else(|| panic!("{page:#}"))).unwrap();
        let (own, rendered) = (letters(&read_page("html", &html[n])), letters(&read_page("html", &rendered)));
        assert!(own.ends_with(&rendered), "{rendered}\n{own}");
    }
}

/// File name → `html` and `data`, or `error`.
fn compile(folder: &Path) -> Value {
    read(Command::new("node").arg(support("compile_mdx.mjs")).arg(tools()).arg(folder))
}

#[test]
fn no_markdown_breaks_the_mdx_compiler() {
    const PIECES: [&str; 40] = [
        "{x}", "{", "}", "<b>", "</b>", "<", "<x y={z}>", "`", "``", "`{x}`", "```", "~~~", "\n", "\n", "\n", "\n\n",
        "\n\n", "    ", "  ", "- ", "1. ", "> ", "# ", "\\", "\\{", "\\`", "import a", "export b", "a", "b c", " ",
        "*", "[a](", ")", "<!-- ", " -->", "<https://a.example>", "| ", "\n---\n", "&#123;",
    ];
    if !has_mdx() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut state = 7_u64;
    let mut next = |below: usize| {
        // Knuth's MMIX generator.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for n in 0..3_000 {
        let body: String = (0..=next(24)).map(|_| PIECES[next(PIECES.len())]).collect();
        std::fs::write(
            folder.path().join(format!("{n}.mdx")),
            format!("---\na: 1\n---\n\n{}\n", mdx::escape(body.trim())),
        )
        .unwrap();
    }
    let compiled = compile(folder.path());
    assert_eq!(compiled.as_object().unwrap().len(), 3_000);
    for (name, page) in compiled.as_object().unwrap() {
        let source = || std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page["error"].is_null(), "{name}: {page:#}\n{}", source());
    }
}
