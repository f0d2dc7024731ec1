//! Tokens of common providers, recognised by form.
//!
//! Shapes from the vendors' own documentation, from GitHub's list of scanned tokens and from the public rule sets of
//! gitleaks and trufflehog. Lengths are lower bounds where a prefix is distinctive: a truncated token is still a token.

use super::shape::Of::{
    Alnum, Any, Base64, Digits, Groups, Hex, Loose, Lower, Path, Percent, Upper, Url, Visible, Word,
};
use super::shape::Part::{Is, Rest, Run, Take};
use super::shape::{If, MANY, Part, Shape};

/// Kind, equivalent prefixes, the following parts, further conditions.
type Family = (&'static str, &'static [&'static str], &'static [Part], If);

const UUID: &[Part] =
    &[Take(Hex, 8), Is("-"), Take(Hex, 4), Is("-"), Take(Hex, 4), Is("-"), Take(Hex, 4), Is("-"), Run(Hex, 12, 12)];

#[rustfmt::skip]
const FAMILIES: &[Family] = &[
    // Clouds
    ("aws-key", &["AKIA"], &[Take(Upper, 16)], If::Always),
    ("aws-key", &["ASIA", "AGPA", "AIDA", "AROA", "ANPA", "ANVA", "ABIA", "ACCA"], &[Take(Upper, 16)], If::Digit),
    ("aws-key", &["ASIA", "ABIA", "ACCA"], &[Run(Upper, 16, 16)], If::AloneRandom),
    ("aws-key", &["A3T"], &[Run(Upper, 17, 17)], If::AloneRandom),
    ("aws-key", &["ABSK"], &[Run(Base64, 100, MANY)], If::AloneMixed),
    ("aws-key", &["bedrock-api-key-"], &[Run(Base64, 20, MANY)], If::Always),
    ("google-key", &["AIza"], &[Run(Url, 30, MANY)], If::Alone),
    ("google-key", &["ya29.", "GOCSPX-"], &[Run(Url, 20, MANY)], If::Always),
    ("google-key", &["1//0"], &[Run(Url, 40, MANY)], If::AloneMixed),
    ("alibaba-key", &["LTAI"], &[Run(Alnum, 16, 26)], If::AloneDigit),
    ("digitalocean-token", &["dop_v1_", "doo_v1_", "dor_v1_"], &[Run(Hex, 32, MANY)], If::Always),
    ("heroku-key", &["HRKU-"], &[Run(Url, 30, MANY)], If::Alone),
    ("cloudflare-key", &["v1.0-"], &[Run(Hex, 24, 24), Is("-"), Run(Hex, 64, MANY)], If::Alone),
    ("netlify-token", &["nfp_", "nfc_", "nfo_", "nfu_"], &[Run(Alnum, 32, MANY)], If::AloneDigit),
    ("vercel-token", &["vercel_blob_rw_"], &[Run(Word, 20, MANY)], If::Always),
    ("vercel-token", &["vcp_", "vci_", "vca_", "vcr_", "vck_"], &[Run(Alnum, 40, MANY)], If::AloneDigit),
    ("fly-token", &["fo1_"], &[Run(Url, 40, MANY)], If::Alone),
    ("fly-token", &["fm1r_", "fm1a_", "fm2_"], &[Run(Base64, 60, MANY)], If::Alone),
    ("databricks-token", &["dapi"], &[Run(Hex, 32, 32)], If::AloneDigit),
    ("planetscale-token", &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"], &[Run(Loose, 24, MANY)], If::Always),
    ("supabase-key", &["sbp_"], &[Run(Alnum, 40, MANY)], If::AloneDigit),
    ("supabase-key", &["sb_secret_"], &[Run(Url, 20, MANY)], If::Always),
    ("neon-key", &["napi_"], &[Run(Lower, 48, MANY)], If::AloneDigit),
    ("render-key", &["rnd_"], &[Run(Alnum, 28, MANY)], If::AloneMixed),
    ("scalingo-token", &["tk-us-"], &[Run(Url, 48, MANY)], If::Alone),
    ("tailscale-key", &["tskey-"], &[Run(Url, 20, MANY)], If::AloneDigit),
    ("openshift-token", &["sha256~"], &[Run(Url, 43, MANY)], If::Always),
    ("yandex-key", &["AQVN"], &[Run(Url, 35, 38)], If::AloneMixed),
    ("yandex-key", &["t1."], &[Run(Loose, 87, MANY)], If::AloneRandom),
    ("yandex-key", &["YC"], &[Run(Url, 38, 38)], If::AloneMixed),
    ("clickhouse-key", &["4b1d"], &[Run(Alnum, 38, 38)], If::AloneMixed),
    // Code, packages, builds
    ("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], &[Run(Alnum, 20, MANY)], If::Always),
    ("github-token", &["github_pat_"], &[Run(Word, 20, MANY)], If::Always),
    ("gitlab-token", &["glpat-", "gldt-", "glrt-", "glptt-", "glft-", "gloas-", "glsoat-", "glcbt-", "glimt-",
        "glagent-", "glffct-", "glwt-"], &[Run(Loose, 16, MANY)], If::Always),
    ("gitlab-token", &["GR1348941"], &[Run(Url, 16, MANY)], If::Always),
    ("bitbucket-token", &["ATBB"], &[Run(Alnum, 28, MANY)], If::AloneDigit),
    ("npm-token", &["npm_"], &[Run(Alnum, 30, MANY)], If::Always),
    ("pypi-token", &["pypi-AgE"], &[Run(Url, 30, MANY)], If::Always),
    ("rubygems-key", &["rubygems_"], &[Run(Hex, 40, MANY)], If::Telling),
    ("crates-token", &["cio"], &[Run(Alnum, 32, 32)], If::AloneMixed),
    ("nuget-key", &["oy2"], &[Run(Lower, 43, 43)], If::AloneDigit),
    ("docker-token", &["dckr_pat_", "dckr_oat_"], &[Run(Url, 20, MANY)], If::Always),
    ("clojars-token", &["CLOJARS_"], &[Run(Alnum, 48, MANY)], If::AloneDigit),
    ("artifactory-key", &["AKCp"], &[Run(Alnum, 60, 80)], If::AloneMixed),
    ("artifactory-key", &["cmVmd"], &[Run(Alnum, 55, 64)], If::AloneMixed),
    ("circleci-token", &["CCIPAT_", "CCIPRJ_"], &[Run(Word, 20, MANY)], If::Always),
    ("buildkite-token", &["bkua_", "bkct_", "bkaj_"], &[Run(Alnum, 30, MANY)], If::Always),
    ("octopus-key", &["API-"], &[Run(Upper, 26, 26)], If::AloneDigit),
    ("sonar-token", &["squ_", "sqp_", "sqa_"], &[Run(Alnum, 40, 40)], If::AloneDigit),
    ("sourcegraph-token", &["sgp_"], &[Run(Word, 40, MANY)], If::AloneDigit),
    ("postman-key", &["PMAK-"], &[Run(Hex, 24, 24), Is("-"), Run(Hex, 30, MANY)], If::Always),
    ("readme-key", &["rdme_"], &[Run(Lower, 60, MANY)], If::Always),
    ("infracost-key", &["ico-"], &[Run(Alnum, 32, 32)], If::Opened),
    ("prefect-key", &["pnu_"], &[Run(Alnum, 36, 36)], If::AloneDigit),
    ("harness-key", &["pat.", "sat."], &[Run(Url, 22, 22), Is("."), Run(Alnum, 24, 24), Is("."), Run(Alnum, 20, 20)], If::Alone),
    // Vaults
    ("vault-token", &["s."], &[Run(Alnum, 24, 24)], If::AloneRandom),
    ("vault-token", &["hvs.", "hvb.", "hvr."], &[Run(Url, 20, MANY)], If::AloneDigit),
    ("age-key", &["AGE-SECRET-KEY-1"], &[Run(Upper, 40, MANY)], If::Telling),
    ("1password-key", &["A3-"], &[Take(Upper, 6), Is("-"), Run(Groups, 28, 32)], If::Alone),
    ("1password-key", &["ops_eyJ"], &[Run(Base64, 60, MANY)], If::Always),
    ("doppler-token", &["dp.pt.", "dp.ct.", "dp.sa.", "dp.st.", "dp.scim.", "dp.audit."], &[Run(Loose, 36, MANY)], If::Alone),
    ("pulumi-token", &["pul-"], &[Run(Hex, 40, 40)], If::AloneDigit),
    ("okta-token", &["SSWS "], &[Run(Url, 20, MANY)], If::AloneDigit),
    // Chat
    ("slack-token", &["xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxe.", "xapp-"], &[Run(Loose, 10, MANY)], If::AloneDigit),
    ("slack-token", &["xoxo-", "xoxs-"], &[Take(Digits, 1), Run(Loose, 10, MANY)], If::Alone),
    ("slack-token", &["xoxe"], &[Take(Visible, 1), Is("xox"), Take(Alnum, 1), Is("-"), Take(Digits, 1), Is("-"), Run(Alnum, 100, MANY)], If::Alone),
    ("linear-key", &["lin_api_", "lin_oauth_"], &[Run(Alnum, 24, MANY)], If::Always),
    ("notion-token", &["ntn_"], &[Run(Alnum, 30, MANY)], If::AloneDigit),
    ("notion-token", &["secret_"], &[Run(Alnum, 43, 43)], If::AloneMixed),
    ("atlassian-token", &["ATATT3", "ATCTT3"], &[Run(Loose, 40, MANY)], If::Always),
    ("airtable-token", &["pat"], &[Run(Alnum, 14, 14), Is("."), Run(Hex, 48, MANY)], If::Alone),
    ("figma-token", &["figd_", "figo_", "figu_"], &[Run(Url, 30, MANY)], If::Alone),
    ("typeform-token", &["tfp_"], &[Run(Loose, 40, MANY)], If::AloneDigit),
    ("contentful-token", &["CFPAT-"], &[Run(Url, 40, MANY)], If::Always),
    ("frameio-token", &["fio-u-"], &[Run(Loose, 50, MANY)], If::Always),
    ("intra42-secret", &["s-s4t2ud-", "s-s4t2af-"], &[Run(Hex, 48, MANY)], If::Always),
    ("facebook-token", &["EAAM", "EAAC", "EAAB", "EAAG"], &[Run(Alnum, 80, MANY)], If::AloneRandom),
    ("mapbox-token", &["sk.eyJ", "pk.eyJ"], &[Run(Url, 40, MANY), Is("."), Run(Url, 16, MANY)], If::Alone),
    ("mapbox-token", &["pk.", "sk."], &[Run(Alnum, 60, 60), Is("."), Run(Alnum, 22, MANY)], If::AloneRandom),
    // Mail
    ("sendgrid-key", &["SG."], &[Run(Url, 16, 40), Is("."), Run(Url, 30, MANY)], If::Always),
    ("sendgrid-key", &["SG."], &[Run(Loose, 60, MANY)], If::AloneRandom),
    ("mailgun-key", &["key-", "pubkey-"], &[Run(Hex, 32, 32)], If::AloneDigit),
    ("brevo-key", &["xkeysib-", "xsmtpsib-"], &[Run(Url, 48, MANY)], If::Always),
    ("resend-key", &["re_"], &[Run(Alnum, 8, 8), Is("_"), Run(Alnum, 24, 24)], If::AloneMixed),
    ("twilio-key", &["SK", "AC"], &[Run(Hex, 32, 32)], If::AloneDigit),
    // Money
    ("stripe-key", &["sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_", "pk_live_", "pk_test_"],
        &[Run(Alnum, 10, MANY)], If::Digit),
    ("stripe-key", &["sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_"], &[Run(Alnum, 10, MANY)], If::AloneRandom),
    ("stripe-key", &["whsec_"], &[Run(Base64, 16, MANY)], If::Digit),
    ("square-token", &["sq0atp-", "sq0csp-", "sq0idp-"], &[Run(Url, 20, MANY)], If::Always),
    ("square-token", &["EAAA"], &[Run(Url, 22, 70)], If::AloneRandom),
    ("shopify-token", &["shpat_", "shpca_", "shppa_", "shpss_", "shprka_"], &[Run(Hex, 24, MANY)], If::Always),
    ("braintree-token", &["access_token$production$", "access_token$sandbox$"], &[Run(Lower, 12, 24), Is("$"), Run(Hex, 24, MANY)], If::Always),
    ("plaid-token", &["access-sandbox-", "access-development-", "access-production-"], UUID, If::Always),
    ("flutterwave-key", &["FLWSECK_TEST-", "FLWSECK-"], &[Run(Alnum, 12, MANY)], If::AloneRandom),
    ("duffel-token", &["duffel_test_", "duffel_live_"], &[Run(Loose, 40, MANY)], If::Always),
    ("shippo-token", &["shippo_live_", "shippo_test_"], &[Run(Hex, 32, MANY)], If::Always),
    ("easypost-key", &["EZAK", "EZTK"], &[Run(Alnum, 54, 54)], If::AloneRandom),
    ("settlemint-token", &["sm_aat_", "sm_pat_", "sm_sat_"], &[Run(Alnum, 16, MANY)], If::AloneRandom),
    // Monitoring
    ("newrelic-key", &["NRAK-", "NRII-", "NRJS-", "NRRA-", "NRIQ-"], &[Run(Url, 19, MANY)], If::AloneRandom),
    ("sentry-token", &["sntrys_", "sntryu_"], &[Run(Percent, 40, MANY)], If::Always),
    ("grafana-token", &["glsa_"], &[Run(Word, 24, MANY)], If::Always),
    ("grafana-token", &["glc_", "eyJrIjoi"], &[Run(Base64, 32, MANY)], If::Alone),
    ("dynatrace-token", &["dt0c01.", "dt0s01.", "dt0s16."], &[Run(Alnum, 24, 24), Is("."), Run(Alnum, 40, MANY)], If::Always),
    ("launchdarkly-key", &["sdk-", "api-", "mob-"], UUID, If::Alone),
    // Models
    ("anthropic-key", &["sk-ant-"], &[Run(Url, 20, MANY)], If::Digit),
    ("openai-key", &["sk-"], &[Run(Url, 20, MANY)], If::AloneDigit),
    ("groq-key", &["gsk_"], &[Run(Alnum, 30, MANY)], If::AloneDigit),
    ("huggingface-token", &["hf_", "api_org_"], &[Run(Alnum, 30, MANY)], If::AloneRandom),
    ("replicate-token", &["r8_"], &[Run(Alnum, 30, MANY)], If::AloneDigit),
    ("perplexity-key", &["pplx-"], &[Run(Alnum, 30, MANY)], If::Alone),
    ("xai-key", &["xai-"], &[Run(Alnum, 60, MANY)], If::AloneDigit),
    ("nvidia-key", &["nvapi-"], &[Run(Url, 40, MANY)], If::Alone),
    ("langsmith-key", &["lsv2_pt_", "lsv2_sk_"], &[Run(Word, 30, MANY)], If::Always),
    ("elevenlabs-key", &["sk_"], &[Run(Hex, 48, 48)], If::AloneDigit),
    ("tavily-key", &["tvly-"], &[Run(Url, 30, MANY)], If::AloneRandom),
    ("together-key", &["tgp_v1_"], &[Run(Url, 40, MANY)], If::Alone),
    ("pinecone-key", &["pcsk_"], &[Run(Word, 60, MANY)], If::AloneRandom),
    ("sourcegraph-token", &["slk_"], &[Run(Hex, 64, MANY)], If::Alone),
    // Customers, payments, webhooks
    ("hubspot-token", &["pat-na1-", "pat-na2-", "pat-na3-", "pat-eu1-", "pat-ap1-"], UUID, If::Alone),
    ("stripe-key", &["pi_", "seti_"], &[Run(Alnum, 14, 40), Is("_secret_"), Run(Alnum, 16, MANY)], If::Alone),
    ("salesforce-token", &["00D"], &[Run(Alnum, 12, 15), Is("!"), Run(Loose, 60, MANY)], If::Alone),
    ("salesforce-token", &["5Aep861"], &[Run(Loose, 60, MANY)], If::Alone),
    ("zoho-token", &["1000."], &[Run(Hex, 32, 32), Is("."), Run(Hex, 32, MANY)], If::Alone),
    ("razorpay-key", &["rzp_live_", "rzp_test_"], &[Run(Alnum, 14, MANY)], If::AloneRandom),
    ("pagarme-key", &["ak_live_", "ak_test_"], &[Run(Alnum, 24, MANY)], If::AloneRandom),
    ("ramp-key", &["ramp_id_", "ramp_sec_", "ramp_business_tok_"], &[Run(Alnum, 30, MANY)], If::AloneRandom),
    ("klaviyo-key", &["pk_"], &[Run(Hex, 34, 34)], If::AloneDigit),
    ("close-key", &["api_"], &[Run(Alnum, 20, 24), Is("."), Run(Alnum, 20, MANY)], If::AloneRandom),
    ("bannerbear-key", &["bb_pr_", "bb_ma_"], &[Run(Alnum, 28, MANY)], If::AloneRandom),
    ("rootly-token", &["rootly_"], &[Run(Hex, 60, MANY)], If::Alone),
    ("posthog-key", &["phx_", "phs_"], &[Run(Url, 36, MANY)], If::AloneRandom),
    ("pubnub-key", &["sec-c-"], &[Run(Url, 30, MANY)], If::AloneRandom),
    ("pubnub-key", &["sub-c-", "pub-c-"], UUID, If::Alone),
    ("apify-token", &["apify_api_"], &[Run(Alnum, 30, MANY)], If::AloneRandom),
    ("cloudflare-key", &["cfut_", "cfat_", "cfk_"], &[Run(Alnum, 40, MANY)], If::AloneRandom),
    ("bitbucket-token", &["BBDC-"], &[Run(Base64, 40, MANY)], If::Alone),
    ("endor-key", &["endr+"], &[Run(Url, 16, MANY)], If::AloneRandom),
    ("figma-token", &["figp_"], &[Run(Url, 30, MANY)], If::AloneRandom),
    ("deno-token", &["ddp_", "ddo_"], &[Run(Alnum, 36, MANY)], If::AloneRandom),
    // Generic
    ("jwt", &["ZXlKaGJHY2", "ZXlKMGVYQW", "ZXlKcmFXUW"], &[Run(Base64, 40, MANY)], If::Alone),
    ("jwt", &["ZXlK"], &[Run(Base64, 40, MANY)], If::AloneMixed),
    ("authress-key", &["sc_", "ext_", "scauth_", "authress_"], &[Run(Alnum, 5, 30), Is("."), Run(Alnum, 4, 6), Is(".acc"),
        Run(Url, 11, 33), Is("."), Run(Any, 30, MANY)], If::Alone),
    ("jwt", &["eyJ"], &[Run(Url, 8, MANY), Is(".eyJ"), Run(Url, 8, MANY), Rest(Url)], If::Always),
    ("dropbox-token", &["sl."], &[Run(Url, 120, MANY)], If::AloneMixed),
    ("adobe-secret", &["p8e-"], &[Run(Alnum, 32, 32)], If::AloneDigit),
    ("defined-key", &["dnkey-"], &[Run(Loose, 50, MANY)], If::AloneDigit),
    ("password-hash", &["{SSHA}", "{SHA}", "{SMD5}", "{SSHA256}", "{SHA256}", "{SSHA512}", "{SHA512}", "{PBKDF2_SHA256}"], &[Run(Any, 24, MANY)], If::Always),
    ("encoded-key", &["LS0tLS1CRUdJTi"], &[Run(Base64, 8, MANY)], If::Always),
];

/// URLs and settings with only the following part secret.
#[rustfmt::skip]
const ADDRESSES: &[Family] = &[
    ("slack-webhook", &["hooks.slack.com/services/", "hooks.slack.com/workflows/", "hooks.slack.com/triggers/"], &[Run(Path, 20, MANY)], If::Digit),
    ("discord-webhook", &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"], &[Run(Digits, 15, 22), Is("/"), Run(Url, 30, MANY)], If::Always),
    ("zapier-webhook", &["hooks.zapier.com/hooks/catch/"], &[Run(Digits, 4, 12), Is("/"), Run(Alnum, 6, MANY)], If::Always),
    ("tines-webhook", &[".tines.com/webhook/"], &[Run(Hex, 32, 32), Is("/"), Run(Hex, 32, MANY)], If::Always),
    ("teams-webhook", &["webhook.office.com/webhookb2/"], &[Run(Path, 40, MANY)], If::Always),
    ("gitlab-session", &["_gitlab_session="], &[Run(Lower, 32, 32)], If::Always),
    ("azure-key", &["AccountKey=", "SharedAccessKey="], &[Run(Base64, 30, MANY)], If::Always),
    ("azure-sas", &["?sig=", "&sig=", ";sig="], &[Run(Percent, 40, MANY)], If::Digit),
];

/// Tokens that begin before their distinctive part.
#[rustfmt::skip]
const INVERTED: &[Shape] = &[
    Shape { kind: "terraform-token", prefix: ".atlasv1.", before: Some((Alnum, 14, 14)), parts: &[Run(Loose, 40, MANY)], only: If::Always, keep_prefix: false },
    Shape { kind: "mailchimp-key", prefix: "-us", before: Some((Hex, 32, 32)), parts: &[Run(Digits, 1, 2)], only: If::Always, keep_prefix: false },
    Shape { kind: "newrelic-key", prefix: "NRAL", before: Some((Hex, 32, 36)), parts: &[], only: If::Always, keep_prefix: false },
    Shape { kind: "azure-secret", prefix: "Q~", before: Some((Loose, 4, 4)), parts: &[Run(Loose, 31, 34)], only: If::Always, keep_prefix: false },
    Shape { kind: "azure-key", prefix: "AzFu", before: Some((Url, 40, 48)), parts: &[Run(Any, 5, 10)], only: If::Always, keep_prefix: false },
    Shape { kind: "azure-token", prefix: "AZDO", before: Some((Alnum, 76, 80)), parts: &[Run(Alnum, 4, 4)], only: If::Always, keep_prefix: false },
    Shape { kind: "telegram-token", prefix: ":AA", before: Some((Digits, 8, 10)), parts: &[Run(Url, 32, MANY)], only: If::Always, keep_prefix: false },
    Shape { kind: "telegram-token", prefix: ":A", before: Some((Digits, 5, 16)), parts: &[Run(Url, 34, 34)], only: If::AloneRandom, keep_prefix: false },
    Shape { kind: "facebook-token", prefix: "|", before: Some((Digits, 15, 16)), parts: &[Run(Url, 27, 40)], only: If::AloneRandom, keep_prefix: false },
    Shape { kind: "facebook-token", prefix: "%", before: Some((Digits, 15, 16)), parts: &[Run(Url, 27, 40)], only: If::AloneRandom, keep_prefix: false },
    Shape { kind: "firebase-key", prefix: ":APA91b", before: Some((Url, 11, 22)), parts: &[Run(Url, 60, MANY)], only: If::Always, keep_prefix: false },
    Shape { kind: "maxmind-key", prefix: "_mmk", before: Some((Word, 36, 36)), parts: &[], only: If::Always, keep_prefix: false },
];

/// All shapes, one for each prefix.
pub(super) fn shapes() -> Vec<Shape> {
    let family = |keep_prefix| {
        move |(kind, prefixes, parts, only): &Family| {
            let (kind, parts, only) = (*kind, *parts, *only);
            let shape = move |prefix: &&'static str| Shape { kind, prefix, before: None, parts, only, keep_prefix };
            prefixes.iter().map(shape).collect::<Vec<_>>()
        }
    };
    let plain = FAMILIES.iter().flat_map(family(false));
    plain.chain(ADDRESSES.iter().flat_map(family(true))).chain(INVERTED.iter().copied()).collect()
}
