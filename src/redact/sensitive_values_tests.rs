//! Hidden values next to sensitive names, and values left alone.

use super::*;
use crate::facts::sample::{commit, file};

fn hidden(path: &str, lines: &str) -> String {
    let patch: String = lines.lines().map(|line| format!("+{line}\n")).collect();
    let commit = hide_values(commit("wip", vec![file(path, &format!("@@\n{patch}"))]));
    let lines = &commit.patch.files[0].hunks[0].lines;
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn whatever_it_looks_like_the_value_of_a_telling_name_is_hidden() {
    for (path, line) in [
        ("app.yml", "  password: sunshine"),
        ("app.yml", "  password: correct horse battery staple  # why"),
        ("app.yml", "  password: 'sunshine'"),
        ("app.yml", "  db_password: 123456"),
        ("app.yml", "- {name: DB_PASSWORD, value: sunshine}"),
        ("app.yml", "spring.datasource.password: sunshine"),
        ("c.json", r#"{"user": "a", "password": "sunshine"}"#),
        ("c.json", r#"  "clientSecret": "sunshine","#),
        ("c.json", r#"  "pin_code": 1234, "passphrase": "sunshine""#),
        ("a.toml", "token = 'sunshine'"),
        (".pypirc", "password = sunshine"),
        ("a.ini", "DB_PASS=sunshine"),
        ("app.properties", "mail.smtp.password=sunshine"),
        (".env", "API_KEY=sunshine"),
        (".env.example", "export DB_PASSWORD=\"sunshine\""),
        ("a.xml", "<password>sunshine</password>"),
        ("web.config", r#"<add key="Password" value="sunshine"/>"#),
        ("a.xml", r#"<property name="password">sunshine</property>"#),
        ("a.xml", r#"<connection password="sunshine"/>"#),
        ("src/a.py", "PASSWORD = \"sunshine\""),
        ("src/a.py", "    connect(user, password='sunshine')"),
        ("src/a.py", "os.environ[\"DB_PASSWORD\"] = \"sunshine\""),
        ("src/a.rs", "const PASSPHRASE: &str = \"sunshine\";"),
        ("src/a.go", "apiKey := \"sunshine\""),
        ("src/A.java", "private static final String DB_PASSWORD = \"sunshine\";"),
        ("src/A.java", "props.setProperty(\"db.password\", \"sunshine\");"),
        ("src/a.php", "define('DB_PASSWORD', 'sunshine');"),
        ("src/a.php", "'password' => 'sunshine',"),
        ("src/a.rb", "password: 'sunshine'"),
        ("src/a.go", "var dbPassword string = \"sunshine\""),
        ("src/a.ts", "  password: string = 'sunshine';"),
        ("src/a.js", "password ??= \"sunshine\";"),
        ("src/a.js", "const password = process.env.PASSWORD || 'sunshine';"),
        ("src/a.php", "$password .= 'sunshine';"),
        ("src/a.py", "PASSWORDS = [\"sunshine\"]"),
        ("src/a.rb", "password += 'sunshine'"),
        ("Makefile", "PASSWORD :::= sunshine"),
        ("run.sh", "DB_PASSWORD=\"${DB_PASSWORD:-sunshine}\""),
        ("a.sql", "CREATE USER me IDENTIFIED BY 'sunshine';"),
        ("a.sql", "ALTER ROLE me WITH PASSWORD 'sunshine';"),
        ("src/a.h", "#define WIFI_PASSWORD \"sunshine\""),
        ("src/A.cs", "var c = \"Server=db;Password=sunshine;Port=1\";"),
        ("run.sh", "export DB_PASSWORD=sunshine"),
        ("run.sh", "mysql --password sunshine"),
        ("run.sh", "mysql --password=sunshine"),
        ("Dockerfile", "ENV DB_PASSWORD sunshine"),
        ("Dockerfile", "ENV DB_PASSWORD=sunshine"),
        (".netrc", "machine h login me password sunshine"),
        ("main.tf", "  password = \"sunshine\""),
        ("README.md", "DB_PASSWORD=sunshine"),
        ("secrets/db_password.txt", "sunshine"),
        ("secrets/db_password", "sunshine"),
        ("app.yml", "пароль: sunshine"),
        ("run.sh", "export DB_PASSWORD=$(echo sunshine)"),
        ("values.yaml", "  argocdServerAdminPassword: $2b$12$sunshine"),
        (".env", "ADMIN_PASSWORD=$argon2id$v=19$m=65536,t=3,p=4$sunshine"),
        ("c.json", r#"  "adminPassword": "$6$rounds=5000$salt$sunshine","#),
        ("README.md", "            argocdServerAdminPassword: sunshine"),
        ("README.md", "db_password: sunshine  # why"),
    ] {
        let redacted = hidden(path, line);
        let rest = ["sunshine", "horse", "123456"].iter().any(|word| redacted.contains(word));
        assert!(!rest && redacted.contains(HIDDEN), "{path}: {line} → {redacted}");
    }
}

#[test]
fn values_on_other_lines_than_their_names_are_hidden() {
    for (path, lines) in [
        ("app.yml", "password: |\n  sunshine\n  sunshine two\nuser: me"),
        ("app.yml", "password:\n  sunshine\nuser: me"),
        ("app.yml", "- name: DB_PASSWORD\n  value: sunshine\n- user: me"),
        ("app.json", "{\"name\": \"DB_PASSWORD\",\n \"value\": \"sunshine\"},\nuser: me"),
        ("a.plist", "<key>password</key>\n<string>sunshine</string>\n<key>user</key>\n<string>me</string>"),
        ("main.tf", "variable \"db_password\" {\n  default = \"sunshine\"\n}\nuser: me"),
        ("README.md", "Set it:\n```yaml\npassword: sunshine\n```\nuser: me"),
        ("README.md", "Set it:\n```json\n\"pin_code\": 1,\n\"password\": \"sunshine\"\n```\nuser: me"),
        ("README.md", "~~~sh\nmysql --password sunshine\n~~~\npassword: me"),
        ("a.toml", "password = \"\"\"\nsunshine\n\"\"\"\nuser = 'me'"),
    ] {
        let redacted = hidden(path, lines);
        assert!(!redacted.contains("sunshine") && redacted.contains("me"), "{path}: {redacted}");
    }
}

#[test]
fn each_side_is_read_as_it_stands() {
    let patch = "@@ password: sunshine\n db:\n-  password: |\n-    sunshine\n+  password: moonlight\n   user: me";
    let commit = hide_values(commit("wip", vec![file("a.yml", patch)]));
    let hunk = &commit.patch.files[0].hunks[0];
    let all: String = hunk.lines.iter().map(|line| line.text.as_str()).collect();
    assert!(!all.contains("sunshine") && !all.contains("moonlight") && all.contains("user: me"), "{all}");
    assert_eq!(hunk.header, format!("password: {HIDDEN}"));
}

#[test]
fn what_is_no_value_or_no_secret_stays() {
    for (path, line) in [
        ("app.yml", "  max_tokens: 4096"),
        ("app.yml", "  max_token: 4096"),
        ("app.yml", "  token: ${{ secrets.GITHUB_TOKEN }}"),
        ("app.yml", "  password: ${DB_PASSWORD}"),
        ("app.yml", "  password: \"{{ vault_password }}\""),
        ("app.yml", "  password: $DB_PASSWORD"),
        ("app.yml", "  show_password: true"),
        ("app.yml", "  password_length: 12"),
        ("app.yml", "  token_type: Bearer"),
        ("app.yml", "  secretName: tls"),
        ("app.yml", "  public_key: abc"),
        ("app.yml", "password:\n  min_length: 8"),
        ("c.json", "  \"password\": \"\","),
        ("src/a.py", "password = input(\"Password: \")"),
        ("src/a.py", "def login(user, password: str = None):"),
        ("src/a.py", "if token == \"(\":"),
        ("src/a.rs", "let token = parser.next();"),
        ("src/a.rs", "let password = read();"),
        ("src/a.rs", "render_pass: \"opaque\","),
        ("src/a.rs", "let key = \"name\";"),
        ("src/a.js", "const { password } = req.body;"),
        ("run.sh", "echo \"$PASSWORD\""),
        ("README.md", "Password: at least eight characters"),
        ("README.md", "The token is read from the header."),
        ("Cargo.toml", "jsonwebtoken = \"9\""),
        ("README.md", "Give `password` or `confirmPassword`."),
        ("README.md", "The fields `password`, `confirmPassword` are left out."),
        ("README.md", "- password: the one you were given"),
        ("README.md", "client_secret: the one you were given"),
        ("src/a.php", "'/etc/passwd' => '/etc/passwd',"),
        ("app.yml", "  password: \"@env:AC_PASSWORD\""),
        ("app.yml", "  password: op://vault/item/field"),
        ("app.yml", "  password: vault:secret/data/app#password"),
        ("app.yml", "  password: /run/secrets/db_password"),
        ("app.yml", "  password: \"{{ lookup('env', 'DB_PASSWORD') }}\""),
        ("c.json", "  \"password\": \"process.env.DB_PASSWORD\","),
        ("run.sh", "export DB_PASSWORD=$(cat /run/secrets/db)"),
        ("run.sh", "DB_PASSWORD=\"$(op read op://vault/db/password)\""),
    ] {
        assert_eq!(hidden(path, line), line, "{path}");
    }
}
