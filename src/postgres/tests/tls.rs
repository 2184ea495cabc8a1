//! Every sslmode against a real server, with certificates made here.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType, date_time_ymd,
};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// Certificate files: `ca.pem` signed the others; `stranger.pem` is another authority.
struct Certificates {
    directory: TempDir,
}

#[tokio::test]
async fn modes_verify_what_they_promise() {
    let certificates = Certificates::make();
    let directory = open_directory();
    let cluster = start_with_tls(&certificates, directory.path(), "localhost.pem").await;
    let ca = certificates.path("ca.pem");
    let stranger = certificates.path("stranger.pem");
    let localhost = |options: &str| tls_url(&cluster, "localhost", options);
    let address = |options: &str| tls_url(&cluster, "127.0.0.1", options);

    for url in [
        localhost(""),
        localhost("sslmode=allow"),
        localhost("sslmode=prefer"),
        address("sslmode=require"),
        address(&format!("sslmode=require&sslrootcert={ca}")),
        address(&format!("sslmode=verify-ca&sslrootcert={ca}")),
        localhost(&format!("sslmode=verify-full&sslrootcert={ca}")),
        // Named by address, reached by address, verified by name.
        localhost(&format!(
            "hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={ca}"
        )),
    ] {
        assert_eq!(encryption(&url).await.as_deref(), Ok("TLSv1.3"), "{url}");
    }
    let plain = encryption(&localhost("sslmode=disable")).await;
    assert_eq!(plain.as_deref(), Ok("none"));
    for (url, expected) in [
        (
            address(&format!("sslmode=verify-full&sslrootcert={ca}")),
            "not valid for name",
        ),
        (
            localhost(&format!("sslmode=require&sslrootcert={stranger}")),
            "UnknownIssuer",
        ),
        (
            localhost(&format!("sslmode=verify-ca&sslrootcert={stranger}")),
            "UnknownIssuer",
        ),
        (
            localhost(&format!("sslmode=verify-full&sslrootcert={stranger}")),
            "UnknownIssuer",
        ),
    ] {
        let refused = encryption(&url).await.expect_err(&url);
        assert!(
            refused.contains(expected) && refused.contains("check sslmode"),
            "{url}: {refused}"
        );
    }
    // No system trusts our authority, if it has certificates at all.
    assert!(encryption(&localhost("sslmode=verify-full")).await.is_err());
    cluster.destroy().await.unwrap();
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_by_name_while_it_is_valid() {
    let certificates = Certificates::make();
    let directory = open_directory();
    let cluster = start_with_tls(&certificates, directory.path(), "self.pem").await;
    let itself = certificates.path("self.pem");
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = tls_url(
            &cluster,
            "localhost",
            &format!("sslmode={mode}&sslrootcert={itself}"),
        );
        assert_eq!(encryption(&url).await.as_deref(), Ok("TLSv1.3"), "{mode}");
    }
    let ca = certificates.path("ca.pem");
    let url = tls_url(
        &cluster,
        "localhost",
        &format!("sslmode=verify-ca&sslrootcert={ca}"),
    );
    assert!(encryption(&url).await.is_err());
    cluster.stop().await.unwrap();

    let cluster = start_with_tls(&certificates, directory.path(), "expired.pem").await;
    let itself = certificates.path("expired.pem");
    let url = tls_url(
        &cluster,
        "localhost",
        &format!("sslmode=verify-ca&sslrootcert={itself}"),
    );
    let refused = encryption(&url).await.unwrap_err();
    assert!(refused.contains("expired"), "{refused}");
    cluster.destroy().await.unwrap();
}

#[tokio::test]
async fn a_server_without_tls() {
    let directory = open_directory();
    let cluster = start(directory.path()).await;
    for mode in ["disable", "allow", "prefer"] {
        let url = tls_url(&cluster, "127.0.0.1", &format!("sslmode={mode}"));
        assert_eq!(encryption(&url).await.as_deref(), Ok("none"), "{mode}");
    }
    for mode in ["require", "verify-full"] {
        let url = tls_url(&cluster, "127.0.0.1", &format!("sslmode={mode}"));
        let refused = encryption(&url).await.unwrap_err();
        assert!(
            refused.contains("does not support TLS"),
            "{mode}: {refused}"
        );
    }

    let database = Database::parse(&cluster.url("postgres")).unwrap();
    run(&cluster, "create role ada login password 'of ada'").await;
    run(&cluster, "create database \"a b/c?\" owner ada").await;
    let other = database.with_database("a b/c?").with_login("ada", "of ada");
    let (client, _connection) = other.connect().await.unwrap();
    let sql = "select current_user || ' ' || current_database() || ' ' || current_setting('application_name')";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "ada a b/c? tenantry");
    assert_eq!(
        Database::parse(&cluster.url("a b/c?"))
            .unwrap()
            .config()
            .get_dbname(),
        Some("a b/c?")
    );
    assert!(!format!("{other:?}").contains("of ada"));

    let refused = database.with_database("none").connect().await.unwrap_err();
    assert!(
        refused.to_string().contains("create the database"),
        "{refused}"
    );
    let port = cluster.port();
    cluster.destroy().await.unwrap();
    let gone = Database::parse(&format!("postgresql://ada@127.0.0.1:{port}/x")).unwrap();
    let refused = gone.connect().await.unwrap_err().to_string();
    assert!(
        refused.contains("Postgres runs there") && refused.contains(&port.to_string()),
        "{refused}"
    );
}

#[tokio::test]
async fn a_pool_can_use_it_and_a_silent_server_is_given_up() {
    let certificates = Certificates::make();
    let directory = open_directory();
    let cluster = start_with_tls(&certificates, directory.path(), "localhost.pem").await;
    let database = Database::parse(&tls_url(&cluster, "localhost", "sslmode=require")).unwrap();
    let manager = deadpool_postgres::Manager::new(database.config().clone(), database.tls());
    let pool = deadpool_postgres::Pool::builder(manager)
        .max_size(2)
        .build()
        .unwrap();
    #[expect(clippy::disallowed_methods, reason = "a pool of the test's own")]
    let client = pool.get().await.unwrap();
    let row = client
        .query_one(
            "select ssl from pg_stat_ssl where pid = pg_backend_pid()",
            &[],
        )
        .await;
    assert!(row.unwrap().get::<_, bool>(0));
    drop((client, pool));
    cluster.destroy().await.unwrap();

    // It accepts connections and never says a word.
    let silent = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let database = Database::parse(&format!(
        "postgresql://127.0.0.1:{port}/x?connect_timeout=1"
    ))
    .unwrap();
    let refused = database.connect().await.unwrap_err();
    assert!(
        matches!(refused, super::super::ConnectError::Timeout { .. }),
        "{refused}"
    );
}

#[test]
fn unusable_root_certificates_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    for contents in [
        None,
        Some("no certificate"),
        Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ] {
        if let Some(contents) = contents {
            fs::write(&path, contents).unwrap();
        }
        let url = format!(
            "postgresql://db.test/?sslmode=verify-full&sslrootcert={}",
            path.display()
        );
        let refused = Database::parse(&url).expect_err("unusable").to_string();
        assert!(refused.contains("ca.pem"), "{refused}");
    }
}

impl Certificates {
    fn make() -> Certificates {
        let made = Certificates {
            directory: open_directory(),
        };
        let authority = |name: &str| {
            let mut params = CertificateParams::new([]).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
                .distinguished_name
                .push(rcgen::DnType::CommonName, name);
            let issuer =
                CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
            made.write(&format!("{name}.pem"), &issuer.pem());
            issuer
        };
        let ca = authority("ca");
        authority("stranger");

        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        made.write("localhost.pem", &params.signed_by(&key, &ca).unwrap().pem());
        made.write("localhost.pem.key", &key.serialize_pem());

        // What `openssl req -x509` makes: a server certificate that is its own authority.
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .subject_alt_names
            .push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7))));
        made.write("self.pem", &params.self_signed(&key).unwrap().pem());
        made.write("self.pem.key", &key.serialize_pem());
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
        made.write("expired.pem", &params.self_signed(&key).unwrap().pem());
        made.write("expired.pem.key", &key.serialize_pem());
        made
    }

    fn write(&self, name: &str, contents: &str) {
        fs::write(self.directory.path().join(name), contents).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }
}

/// A cluster whose certificate is `name`. The server's account must own the key, so the first start makes the account known.
async fn start_with_tls(certificates: &Certificates, data_dir: &Path, name: &str) -> Cluster {
    use std::os::unix::fs::MetadataExt;
    let plain = start(data_dir).await;
    plain.stop().await.unwrap();
    let data = server_data(data_dir);
    let key = data.join(format!("{name}.key"));
    fs::copy(certificates.path(&format!("{name}.key")), &key).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let owner = data.metadata().unwrap();
    std::os::unix::fs::chown(&key, Some(owner.uid()), Some(owner.gid())).unwrap();

    let mut options = options(data_dir);
    for (setting, value) in [
        ("ssl", "on".to_owned()),
        ("ssl_cert_file", certificates.path(name)),
        ("ssl_key_file", key.display().to_string()),
    ] {
        options.settings.push((setting.to_owned(), value));
    }
    Cluster::start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

fn tls_url(cluster: &Cluster, host: &str, options: &str) -> String {
    let url = cluster.url("postgres").replace("127.0.0.1", host);
    format!("{url}?{options}")
}

/// The TLS version of a new connection, `none`, or why there is no connection.
async fn encryption(url: &str) -> Result<String, String> {
    let database = Database::parse(url).map_err(|error| error.to_string())?;
    let (client, _connection) = database
        .connect()
        .await
        .map_err(|error| error.to_string())?;
    let sql = "select coalesce(version, 'none') from pg_stat_ssl where pid = pg_backend_pid()";
    let row = client
        .query_one(sql, &[])
        .await
        .map_err(|error| error.to_string())?;
    let version: String = row.get(0);
    // The bare stream has come the same way.
    assert!(bare(&database, sql).await.contains(&version), "{url}");
    Ok(version)
}

/// What the server says to a simple query on a bare stream.
async fn bare(database: &Database, sql: &str) -> String {
    let mut stream = database.stream().await.unwrap();
    let mut query = BytesMut::new();
    frontend::query(sql, &mut query).unwrap();
    stream.write_all(&query).await.unwrap();
    let mut answer = vec![0; 1000];
    let length = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}
