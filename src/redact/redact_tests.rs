//! Redacted and preserved texts.

use proptest::prelude::*;

use super::*;
use crate::domain::patch::{Change, Hunk, Patch, PatchLine};

const BODY: &str = "MIIEowIBAAKCAQEA7bq5Zc8mYpQeXy2hJ0v1uTn4Rk6sLw9aFgDiOoPlKjHbNvCx";

#[test]
fn each_kind_of_secret_is_replaced_by_its_name() {
    for (text, clean) in [
        ("id AKIAIOSFODNN7EXAMPLE end", "id [redacted:aws-key] end"),
        ("xASIAIOSFODNN7EXAMPLEx", "x[redacted:aws-key]"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "aws_secret_access_key = [redacted:secret]",
        ),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[redacted:github-token]"),
        ("github_pat_11ABCDEFG0abcdefghij_KLMNOPQRSTUVWXYZ", "[redacted:github-token]"),
        ("'glpat-abcdefghij0123456789'", "'[redacted:gitlab-token]'"),
        ("xoxb-123456789012-abcdefABCDEF", "[redacted:slack-token]"),
        (
            "https://hooks.slack.com/services/T000/B000/abcdefghijklmnop",
            "https://hooks.slack.com/services/[redacted:slack-webhook]",
        ),
        ("sk_live_abcdefghij0123", "[redacted:stripe-key]"),
        ("AIzaSyA0123456789abcdefghijklmnopqrstuv", "[redacted:google-key]"),
        ("sk-proj-abcdefghij0123456789ABCD", "[redacted:openai-key]"),
        ("sk-ant-api03-abcdefghij0123456789ABCD", "[redacted:anthropic-key]"),
        ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "[redacted:npm-token]"),
        ("hf_abcdefghijklmnopqrstuvwxyz01234567", "[redacted:huggingface-token]"),
        ("AccountKey=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH==;", "AccountKey=[redacted:azure-key];"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_DEF", "[redacted:jwt]"),
        ("postgres://app:s3cr3t@db/x", "postgres://app:[redacted:url-password]@db/x"),
        ("https://abcdefghij0123456789@host/x.git", "https://[redacted:url-password]@host/x.git"),
        ("redis://:p@ss@h:1", "redis://:[redacted:url-password]@h:1"),
        ("Authorization: Bearer abc.DEF-123", "Authorization: Bearer [redacted:authorization]"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [redacted:authorization]"),
        ("-H 'authorization: Basic dXNlcjpwYXNz1'", "-H 'authorization: Basic [redacted:authorization]'"),
        ("\"Authorization\": \"token 0123456789abcdef\"", "\"Authorization\": \"token [redacted:authorization]\""),
        (
            "cookies = {'session': '9UoK4tYnzNLeK6kjcbhgN7kwjSbbciSPOcSeVce2'}",
            "cookies = {'session': '[redacted:secret]'}",
        ),
        ("session = 'the one that was opened'", "session = 'the one that was opened'"),
        (
            "-H \"Authorization: d7311btCyF@=-]aaaa,aaa;a/cskzb83lphg\" h",
            "-H \"Authorization: [redacted:authorization]\" h",
        ),
        ("{'Authorization': d7311btCyF, 'a': b}", "{'Authorization': [redacted:authorization], 'a': b}"),
        (
            "curl -v --user \"j.smith:dB2yF6@qL9vZm1P#4J\" \"https://api.example.org/user/me\"",
            "curl -v --user \"j.smith:[redacted:authorization]\" \"https://api.example.org/user/me\"",
        ),
        ("`password` or `a8Kd02mZq91LxV`", "`password` or `[redacted:secret]`"),
        ("set(`password`, `a8Kd02mZq91LxV`)", "set(`password`, `[redacted:secret]`)"),
        ("WEBSOCKET_KEY=x3JJHMbDL1EzLkh9GBhXDw==", "WEBSOCKET_KEY=[redacted:secret]"),
        ("password = \"env:a8Kd02mZq91LxV\"", "password = \"[redacted:secret]\""),
        ("password = \"/a8Kd02/mZq91LxV\"", "password = \"[redacted:secret]\""),
        ("password = \"vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQ\"", "password = \"[redacted:secret]\""),
        ("DB_PASSWORD=${DB_PASSWORD:-a8Kd02mZq91LxV}", "DB_PASSWORD=${DB_PASSWORD:-[redacted:secret]}"),
        ("password = \"hunter2!\"", "password = \"[redacted:secret]\""),
        ("(setq api-token \"a8Kd02mZq91LxVb7Jd\")", "(setq api-token \"[redacted:secret]\")"),
        ("api_token = decode(\"a8Kd02mZq91LxVb7Jd13\")", "api_token = decode(\"[redacted:secret]\")"),
        ("char api_token[] = \"a8Kd02mZq91LxV\";", "char api_token[] = \"[redacted:secret]\";"),
        ("std::string api_token{\"a8Kd02mZq91LxV\"};", "std::string api_token{\"[redacted:secret]\"};"),
        ("api_token <- \"a8Kd02mZq91LxV\"", "api_token <- \"[redacted:secret]\""),
        ("IDENTIFIED BY 'a8Kd02mZq91LxV'", "IDENTIFIED BY '[redacted:secret]'"),
        ("mysql -u root -psunshine x", "mysql -u root -p[redacted:password] x"),
        ("DB_PASSWORD=s3cr3tPa55", "DB_PASSWORD=[redacted:secret]"),
        ("const API_KEY: &str = \"a8Kd02mZq91LxV\";", "const API_KEY: &str = \"[redacted:secret]\";"),
        ("\"client_secret\": \"9f8e7d6c5b4a39281706\"", "\"client_secret\": \"[redacted:secret]\""),
        ("db.setPassword('tr0ub4dor&3')", "db.setPassword('[redacted:secret]')"),
        ("<password>tr0ub4dor3x9</password>", "<password>[redacted:secret]</password>"),
        ("API_TOKENS=[\"a8Kd02mZq91LxV\"]", "API_TOKENS=[\"[redacted:secret]\"]"),
        ("tokens: ['a8Kd02mZq91LxV', 'b7Jd13nYp80KwU']", "tokens: ['[redacted:secret]', '[redacted:secret]']"),
        ("GITHUB_TOKENS=a8Kd02mZq91LxV", "GITHUB_TOKENS=[redacted:secret]"),
        ("accessTokenValue: 'a8Kd02mZq91LxV'", "accessTokenValue: '[redacted:secret]'"),
        ("secret:\n  \"a8Kd02mZq91LxV\"", "secret:\n  \"[redacted:secret]\""),
        ("k = \"AKIA\" + \"IOSFODNN7EXAMPLE\"", "k = \"[redacted:aws-key]\" + \"[redacted:aws-key]\""),
    ] {
        assert_eq!(redact(text), clean);
    }
}

#[test]
fn a_key_block_becomes_one_marker() {
    let text = format!("a\n-----BEGIN RSA PRIVATE KEY-----\n{BODY}\nabc=\n-----END RSA PRIVATE KEY-----\nb");
    assert_eq!(redact(&text), "a\n[redacted:private-key]\nb");
}

#[test]
fn ordinary_code_and_prose_stay_as_they_are() {
    for text in [
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit 13a208a5c1f9d2e0b7a64c3d2e1f0a9b8c7d6e5f",
        "id: 550e8400-e29b-41d4-a716-446655440000",
        "checksum = \"fc652a48c352aef3ea3aed32080501cf3ef6ed5da78602a020c991775b0aff04\"",
        "\"integrity\": \"sha512-9M3OWAlNBPpuDtvVnLxCXZ8KGDPfrGRCyeoNqZWDPRA1WhHkzpT4kHGyi/nBbQKQSHxGCSFBPZ1KNgzxMeG5aA==\"",
        "\"js-tokens\": \"^4.0.0\",",
        "github.com/golang-jwt/jwt/v5 v5.2.1 h1:OuVbFODueb089Lh128TAcimifWaLhJwVflnrgM17wHk=",
        "background: url(data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk)",
        "let token = parse_token(input)?;",
        "let token = next_token2(stream);",
        "fn verify(password: &str, secret: Option<String>) -> bool {",
        "password = os.environ[\"DB_PASSWORD\"]",
        "password: ${DB_PASSWORD}",
        "api_key = config.api_key.unwrap_or_default()",
        "const token = await getToken(user1);",
        "self.password = password",
        "if token == Token::Identifier {",
        "tokenizer = \"Qwen2.5-7B-Instruct\"",
        "max_tokens: 4096,",
        "token_count = 12345678",
        "Fixes the password reset: the token expired after 10 minutes instead of 60.",
        "autocomplete=\"current-password\" placeholder=\"Password\"",
        "http://127.0.0.1:11434/api/chat",
        "git@github.com:owner/name.git",
        "mailto:someone@example.com",
        "<div class=\"sk-folding-cube sk-loading-indicator-container\">",
        "disk-usage-and-task-scheduling-of-worker-1",
        "author = \"Jane Doe 2nd <jane2@example.com>\"",
        "authorization: required for all routes",
        "secret_name: my-app-credentials",
        "token: abc",
        "pub const AI_PASSIVE: c_int = 0x00000001;",
        "TOKENIZER_FILE = \"qwen2.5-7b-v3.gguf\"",
        "headers.insert(AUTHORIZATION, HeaderValue::from_static(\"let me in\"));",
        "use tower::{SetAuthorization, AsyncRequireAuthorizationLayer};",
        "If a case fails, you can pass `TRYCMD=overwrite2` to the runner",
        "error: unknown start of token '\\u{200c}' (U+200C)",
        "query --token \"builtin:case_00000003:0\" >actual_7",
        "assert strip_auth('http://example.org:81/foo1', 'https://example.org/bar')",
        "name = password.encode('latin9')",
        "Type.class.getDeclaredMethod(\"makeTypeTokenOfTypeVariable\");",
        "let f = move |token: CancelToken2| {",
        "https://b.example.org/d?X-Amz-Credential=credential&X-Amz-Signature=signature1",
        "post(\"page=1&app_key=my-appkey\", \"bar3=foo\")",
        "\"file:///etc/passwd\",\n\"magnet:?xt=urn:btih:ce08f00302bc2d1d3cfa3af02024fa647a271432\"",
        "-----BEGIN PGP SIGNATURE-----\nVersion: GnuPG v1",
        "if (!Grant(hToken, \"SeProfileOneProcessPrivilege\", 1))",
        "strbuf_addf(&token->token_id, \"case_%08x\", n++);",
        "let password_3 = \"password3\";",
        "https://user:password@example.com/x",
        "machine example.org login name password pass",
        "the login page asks for a password twice",
        "uses: codecov/codecov-action@13ce06bfc6bbe3ecf90edbbf1bc32fe5978ca1d3",
        "        \"https://api.example.org/v1/upload/some-test/main2\",",
        "check_private_key_bytes: x25519_check_private_key_bytes,",
        "Ok(TrafficSecrets::Aes256Gcm { key, iv })",
        "Kind::TrafficSecret => \"CLIENT_TRAFFIC_SECRET_0\",",
        "credentialsId: '0f3a1c52-6d0e-4a51-9d1c-2f1f6a8f7b11'",
        "<UserSecretsId>0f3a1c52-6d0e-4a51-9d1c-2f1f6a8f7b11</UserSecretsId>",
        "- (id)hf_requiredCharacteristicTypesForDisplayMetadata;",
        "&hf_servingcellpriorityparametersdescription_h_prio),",
        "https://example.com/box.ico-7a388b69018576d24b59331fd60aab0c.png",
        "https://example.com/API-BD80F56CDC1441E6BF6011AB6D852875",
        "https://example.com/2018-250-xoxo-indieweb-1.jpg",
        "GWw4hjABFzZCGiRpmlDyAIzaTesb6Tscfcni8vIpWZqNCXFDFslJtVSvFDq",
        "kind: ExternalSecret\nspec:\n  secretStoreRef:\n    kind: SecretStore\n  data:\n    - remoteRef:\n        key: secret/mysecret",
        "API_TOKEN=\nOTHER_NAME=a8Kd02mZq91LxVff",
        "key: 9f86d081884c7d659a2feaa0c55ad015",
        "const pubkey = 'SIXvRyDmBJSgatgTQRGbInBaAK+hZOQ18UmrSwnDlK8=';",
        "cache_key = \"550e8400-e29b-41d4-a716-446655440000\"",
        "#define PKCS12_key_gen PKCS12_key_gen_utf8",
        "    \"SECRET_KEY\": \"devkey\"\n    \"SECRET_KEY\": \"config\"",
        "password = self._get_param(\"MasterUserPassword\")",
        "_token_re = re.compile(r\"[\\w!#$%&'*+\\-.^`|~]+\", flags=re.ASCII)",
        "<label for=\"password\">Password:</label>",
        "mkdir -p build/a8Kd02mZq91LxV",
        "auth = \"org.example.security.PlainLoginModule\"",
        "Give `password` or `confirmPassword`; 'password' or 'passwordConfirmation'; \"api_key\" or \"accessToken\"",
        "The fields `password`, `confirmPassword` and `newPassword` (`oldPassword`) are left out",
        "`token` is `refreshToken` now, and `password` => `userPassword`",
        "'/%2fetc%2Fpasswd' => '/etc/passwd'",
        "'/etc/passwd' => '/../../etc/passwd2', \"..%2Fetc%2Fpasswd\": \"/root/etc/passwd\"",
        "private_key = \"/etc/ssl/private/server1.key\"",
        "password = \"/run/secrets/db_password_1\"",
        "ssh_private_key: \"~/.ssh/id_ed25519\"",
        "signing_key = 'C:\\certs\\app_signing1.pfx'",
        "password = \"@env:AC_PASSWORD\"",
        "password = \"@keychain:AC_PASSWORD_2\"",
        "api_token: \"env:SERVICE_API_TOKEN_V2\"",
        "\"password\": \"$env:DB_PASSWORD1\"",
        "secret = \"op://Private/7xk2q5mzv3bq/credential\"",
        "db_password: \"vault:secret/data/app1#password\"",
        "db_password: 'ref+vault://secret/app#/Password1'",
        "token: \"{{ lookup('env', 'API_TOKEN_V2') }}\"",
        "client_secret: '{{resolve:secretsmanager:Prod/Db1:SecretString:pw}}'",
        "secret = \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:Db1-a1B2c3\"",
        "client_secret = \"projects/app1/secrets/Db-Prod2/versions/latest\"",
        "password = \"process.env.DB_PASSWORD_2\"",
        "password = \"os.environ['DB_PASSWORD_2']\"",
        "password = ENV[\"DB_PASSWORD_2\"]",
        "const apiKey = import.meta.env.VITE_API_KEY2;",
        "let token = std::env::var(\"API_TOKEN_V2\")?;",
        "String token = System.getenv(\"API_TOKEN_V2\");",
        "$token = getenv('API_TOKEN_V2');",
        "password = \"#{ENV_DB_PASSWORD1}#\"",
        "case \"${MVNW_PASSWORD:+has-password}\" in",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "headers[\"Sec-WebSocket-Key\"] = \"x3JJHMbDL1EzLkh9GBhXDw==\"",
        "\"Sec-WebSocket-Key\": {\"x3JJHMbDL1EzLkh9GBhXDw==\"},",
        "Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=",
        "const SEC_WEBSOCKET_KEY: &str = \"x3JJHMbDL1EzLkh9GBhXDw==\";",
        "\"etag_key\": \"dGhlIHNhbXBsZSBub25jZQ1\"",
        "Idempotency-Key: x3JJHMbDL1EzLkh9GBhXDw1",
        "\"key\": \"AAAAC3NzaC1lZDI1NTE5AAAAIJvC0a9n2XQ8rKjH6fJ3mN5pQ7sT9uV1wX3yZ5aB7cD9\"",
        "password: \"%(DB_PASSWORD1)s\"",
        "token: \"__API_TOKEN_V2__\"",
        "password: secretKeyRef:db1/password",
        "credentials: ext:/scripts/auth1.sh",
        "ETag: \"33a64df551425fcc55e4d42a148795d9f25f89d4\"",
        "If-None-Match: W/\"x3JJHMbDL1EzLkh9GBhXDw\"",
        "Content-Security-Policy: script-src 'nonce-x3JJHMbDL1EzLkh9GBhXDw=='",
        "<script nonce=\"x3JJHMbDL1EzLkh9GBhXDw==\" src=\"/a.js\"></script>",
        "\"/js/csrf-token.js\": \"sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC\"",
        "auth = \"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"",
        "curl --user \"me:<password>\" \"https://api.example.org/user/me\"",
    ] {
        assert_eq!(redact(text), text);
    }
}

#[test]
fn a_secret_seen_once_is_replaced_wherever_it_stands() {
    let text = "password = \"tr0ub4dor&3x\"\n# log in with tr0ub4dor&3x\n";
    assert_eq!(redact(text), "password = \"[redacted:secret]\"\n# log in with [redacted:secret]\n");
}

#[test]
fn redacting_twice_changes_nothing_more() {
    for text in [
        "password = \"hunter2!\"",
        "postgres://a:s3cr3t@db",
        "Authorization: Bearer abc.DEF-123",
        "DB_PASSWORD=s3cr3tPa55",
    ] {
        let once = redact(text);
        assert_eq!(redact(&once), once);
    }
}

fn commit(message: &str, hunks: &[&[(LineOrigin, &str)]]) -> Commit {
    let line = |(origin, text): &(LineOrigin, &str)| PatchLine { origin: *origin, text: (*text).to_owned() };
    let hunk = |lines: &&[(LineOrigin, &str)]| Hunk {
        header: String::new(),
        old_start: 1,
        new_start: 1,
        lines: lines.iter().map(line).collect(),
    };
    let file = FileChange {
        path: "src/a.rs".into(),
        old_path: None,
        change: Change::Modified,
        mode_changed: false,
        insertions: None,
        deletions: None,
        hunks: hunks.iter().map(hunk).collect(),
        unread: None,
        texts: None,
    };
    let oid = || "a".repeat(40).parse().unwrap();
    let at = "2026-03-01T12:00:00Z".parse().unwrap();
    Commit {
        oid: oid(),
        tree: oid(),
        parents: vec![],
        author: "A".into(),
        author_email: "a@example.com".into(),
        authored_at: at,
        committed_at: at,
        message: message.into(),
        change_id: None,
        branch: None,
        patch: Patch { files: vec![file], files_total: 1, ..Patch::default() },
    }
}

fn lines(commit: &Commit) -> Vec<&str> {
    commit.patch.files[0].hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| line.text.as_str()).collect()
}

const KEY: &str = "[redacted:private-key]";

#[test]
fn a_key_is_found_across_both_sides_and_hunks() {
    use LineOrigin::{Added, Context, Removed};
    let mut other = BODY.to_owned();
    other.replace_range(0..4, "NIIE");
    let clean = redact_commit(commit(
        "m",
        &[
            &[(Context, "-----BEGIN PRIVATE KEY-----"), (Removed, BODY), (Added, &other), (Context, "abc=")],
            &[(Removed, BODY), (Context, "-----END PRIVATE KEY-----"), (Added, "plain(text);")],
        ],
    ));
    assert_eq!(lines(&clean), [KEY, KEY, KEY, KEY, KEY, KEY, "plain(text);"]);
}

#[test]
fn a_secret_that_is_whole_on_one_side_only_is_found() {
    use LineOrigin::{Added, Removed};
    let clean = redact_commit(commit(
        "m",
        &[&[(Added, "k = \"AKIA\" +"), (Removed, "k = old()"), (Added, "    \"IOSFODNN7EXAMPLE\"")]],
    ));
    assert_eq!(lines(&clean), ["k = \"[redacted:aws-key]\" +", "k = old()", "    \"[redacted:aws-key]\""]);
}

#[test]
fn a_change_id_stays_unless_it_is_a_secret() {
    for (id, kept) in [
        ("zxywkvutsrqponmlkzxywkvutsrqponm", true),
        ("I0123456789abcdef0123456789abcdef01234567", true),
        ("0f74c342-1cd3-4408-b965-6c2dfac89857", true),
        (&["AKIA", "IOSFODNN7ABCDEFG"].concat(), false),
    ] {
        let of_change = Commit { change_id: Some(id.to_owned()), ..commit("Add a", &[]) };
        assert_eq!(redact_commit(of_change).change_id.as_deref(), kept.then_some(id), "{id}");
    }
}

#[test]
fn message_people_branch_paths_and_headers_are_cleaned_too() {
    let secret = "AKIAIOSFODNN7EXAMPLE";
    let mut dirty = commit(&format!("Add {secret}"), &[&[(LineOrigin::Added, secret)]]);
    dirty.author = secret.into();
    dirty.author_email = secret.into();
    dirty.branch = Some(secret.into());
    dirty.patch.files[0].path = format!("keys/{secret}");
    dirty.patch.files[0].old_path = Some(secret.into());
    dirty.patch.files[0].hunks[0].header = secret.into();
    let clean = redact_commit(dirty);
    assert!(!format!("{clean:?}").contains(secret));
    assert_eq!(clean.message, "Add [redacted:aws-key]");
}

#[test]
fn a_password_of_the_patch_is_also_taken_out_of_the_message() {
    let clean = redact_commit(commit("Use tr0ub4dor&3x", &[&[(LineOrigin::Added, "password = \"tr0ub4dor&3x\"")]]));
    assert_eq!(clean.message, "Use [redacted:secret]");
}

#[test]
fn a_commit_without_secrets_is_unchanged() {
    let plain =
        commit("Add a retry", &[&[(LineOrigin::Added, "let token = next();"), (LineOrigin::Removed, "retry(3)")]]);
    assert_eq!(redact_commit(plain.clone()), plain);
}

/// One secret of each kind with random content, and its notation.
fn planted() -> impl Strategy<Value = (String, String)> {
    let as_is = |secret: String| (secret.clone(), secret);
    prop_oneof![
        "AKIA[A-Z0-9]{16}".prop_map(as_is),
        "ghp_[A-Za-z0-9]{36}".prop_map(as_is),
        "glpat-[A-Za-z0-9_]{20}".prop_map(as_is),
        "xoxb-[0-9]{11}-[0-9]{11}-[A-Za-z0-9]{24}".prop_map(as_is),
        "sk_live_[A-Za-z0-9]{24}".prop_map(as_is),
        "AIza[A-Za-z0-9_-]{35}".prop_map(as_is),
        "sk-proj-[A-Za-z0-9]{20}7[A-Za-z0-9]{20}".prop_map(as_is),
        "npm_[A-Za-z0-9]{36}".prop_map(as_is),
        "eyJ[A-Za-z0-9_-]{20}\\.eyJ[A-Za-z0-9_-]{40}\\.[A-Za-z0-9_-]{43}".prop_map(as_is),
        "[a-zA-Z0-9!$&*+=~^_-]{6,30}7".prop_map(|s| (format!("q{s}"), format!("postgres://app:q{s}@db.local/x"))),
        "[a-zA-Z0-9/+]{38}x7".prop_map(|s| (s.clone(), format!("aws_secret_access_key=\"{s}\""))),
        "[a-zA-Z]{3}[0-9]{3}[a-zA-Z0-9!%&*+=~^-]{4,20}".prop_map(|s| (s.clone(), format!("password = \"{s}\""))),
        "[A-Za-z0-9+/]{64}"
            .prop_map(|s| (s.clone(), format!("-----BEGIN PRIVATE KEY-----\n{s}\n-----END PRIVATE KEY-----"))),
    ]
}

#[test]
fn a_password_may_hold_what_a_format_does() {
    assert_eq!(redact("password = \"aAA000%v~*\""), "password = \"[redacted:secret]\"");
    assert_eq!(redact("password = \"pass-%s\""), "password = \"pass-%s\"");
}

proptest! {
    #[test]
    fn a_planted_secret_never_survives((secret, written) in planted(), before in "[ -~é\n]{0,60}", after in "[ -~é\n]{0,60}") {
        let clean = redact(&format!("{before}\n{written}\n{after}"));
        prop_assert!(!clean.contains(&secret), "{clean}");
    }

    #[test]
    fn a_secret_cut_into_literals_never_survives(tail in "[A-Z0-9]{16}", cut in 1usize..19, join in r#"" \+ "|" \+\n    "|" \\\n  "|" "|"\n  \. ""#) {
        let secret = format!("AKIA{tail}");
        let (one, two) = secret.split_at(cut);
        let text = format!("key = \"{one}{join}{two}\"");
        let lines: Vec<(LineOrigin, &str)> = text.split('\n').map(|line| (LineOrigin::Added, line)).collect();
        let clean = redact_commit(commit("m", &[&lines]));
        for part in [one, two].into_iter().filter(|part| part.len() >= 6) {
            prop_assert!(!format!("{clean:?}").contains(part), "{:?}", lines_owned(&clean));
        }
        let longer = if one.len() > two.len() { one } else { two };
        prop_assert!(!redact(&text).contains(longer));
    }

    #[test]
    fn any_text_is_taken_and_a_second_pass_changes_nothing(text in "(?s).{0,200}") {
        let once = redact(&text);
        prop_assert_eq!(redact(&once), once);
    }
}

/// Fragments of secrets, their names and surroundings, combined in any order.
fn fragments() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "password",
        "token",
        "api_key",
        "secret",
        "DB_PASS",
        "datadog",
        "aws_secret_access_key",
        "login",
        "machine h",
        "kind: Secret",
        "data:",
        "  a: ",
        "Authorization: ",
        "Bearer ",
        "curl -u ",
        "\"auth\": ",
        "://",
        "@",
        ":",
        "=",
        " = ",
        "\"",
        "'",
        "`",
        "\\",
        "\n",
        "\" + \"",
        "\\\n",
        "(",
        ")",
        ",",
        ">",
        "</",
        " ",
        "é",
        "[redacted:secret]",
        "[redacted:",
        "]",
        "AKIA",
        "ghp_",
        "sk-",
        "eyJ",
        ".eyJ",
        "xoxb-",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "-us12",
        "Q~",
        ".atlasv1.",
        "concat!(",
        "value",
        "ENV ",
        "--",
        "&",
        "?",
        ".",
    ]);
    let part = prop_oneof![words.prop_map(str::to_owned), "[A-Za-z0-9]{1,40}", "[a-f0-9]{32}", "[A-Za-z0-9+/]{64}"];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_second_pass_over_anything_like_a_secret_changes_nothing(text in fragments()) {
        let once = redact(&text);
        prop_assert_eq!(redact(&once), once);
    }

    #[test]
    fn a_second_pass_over_a_commit_changes_nothing(texts in prop::collection::vec(fragments(), 1..4), at in 0usize..3) {
        let origins = [LineOrigin::Added, LineOrigin::Removed, LineOrigin::Context];
        let lines: Vec<(LineOrigin, &str)> =
            texts.iter().flat_map(|text| text.split('\n')).enumerate().map(|(n, line)| (origins[(n + at) % 3], line)).collect();
        let once = redact_commit(commit(&texts[0], &[&lines]));
        prop_assert_eq!(redact_commit(once.clone()), once);
    }
}

/// The commit after full passes, up to their maximum.
fn in_full(commit: &Commit) -> Commit {
    let mut clean = commit.clone();
    for _ in 0..PASSES {
        let mut secrets = BTreeSet::new();
        pass(&mut clean, &RescanScope::Everything, &mut secrets);
        if secrets.is_empty() {
            break;
        }
    }
    clean
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_second_look_around_what_was_changed_sees_as_much_as_one_at_everything(
        texts in prop::collection::vec((fragments(), 0usize..600, 0usize..3), 1..12),
    ) {
        let origins = [LineOrigin::Added, LineOrigin::Removed, LineOrigin::Context];
        let mut lines: Vec<(LineOrigin, &str)> = Vec::new();
        for (text, apart, origin) in &texts {
            lines.extend(text.split('\n').map(|line| (origins[*origin], line)));
            lines.extend(std::iter::repeat_n((LineOrigin::Context, "let ordinary = code(\"of some length\", 1);"), *apart));
        }
        let dirty = commit("m", &[&lines]);
        prop_assert_eq!(redact_commit(dirty.clone()), in_full(&dirty));
    }
}

#[test]
fn what_was_changed_is_looked_at_again_with_its_surroundings() {
    let long = "x".repeat(AROUND / 4);
    let lines = vec![(LineOrigin::Added, long.as_str()); 40];
    let changed = |those: &[usize]| (0..40).map(|at| those.contains(&at)).collect::<Vec<_>>();
    assert_eq!(around(&changed(&[]), &lines), Vec::<Range<usize>>::new());
    assert_eq!(around(&changed(&[0]), &lines), std::iter::once(0..5).collect::<Vec<_>>());
    assert_eq!(around(&changed(&[10, 12, 30, 39]), &lines), [7..17, 27..35, 36..40]);
}

fn lines_owned(commit: &Commit) -> Vec<String> {
    lines(commit).into_iter().map(str::to_owned).collect()
}

#[path = "corpus_tests.rs"]
mod corpus;
