//! Start, stop, start again, reset, and what is refused.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use super::*;

#[tokio::test]
async fn data_port_and_password_survive_a_restart() {
    let directory = open_directory();
    let data_dir = directory.path().join("project/.tenantry");
    let first = start(&data_dir).await;
    assert!(first.version() >= 15);
    run(&first, "create table kept as select 'Émile' as name").await;
    let pid = server_pid(&data_dir);
    let (url, port) = (first.url("postgres"), first.port());
    first.stop().await.unwrap();
    assert_eq!(running::find(&server_data(&data_dir)), None);
    assert!(
        nix::sys::signal::kill(pid, None).is_err(),
        "{pid} still runs"
    );

    let begun = Instant::now();
    let second = start(&data_dir).await;
    let took = begun.elapsed();
    assert!(
        took < Duration::from_secs(2),
        "the second start took {took:?}"
    );
    assert_eq!((second.url("postgres"), second.port()), (url, port));
    let found = ask(&second, "select name from kept where name ilike 'éMILE'").await;
    assert_eq!(found, "Émile");
    second.destroy().await.unwrap();
}

#[tokio::test]
async fn the_server_is_private_and_set_up_for_development() {
    let directory = open_directory();
    let data_dir = directory.path().join("data");
    let mut options = options(&data_dir);
    options.settings = vec![("work_mem".to_owned(), "7MB".to_owned())];
    let cluster = Cluster::start(options).await.unwrap();
    let database = Database::parse(&cluster.url("postgres")).unwrap();
    let (client, _connection) = database.connect().await.unwrap();
    for (setting, value) in [
        ("listen_addresses", "127.0.0.1"),
        ("fsync", "on"),
        ("synchronous_commit", "off"),
        ("jit", "off"),
        ("server_encoding", "UTF8"),
        ("cluster_name", "tenantry"),
        ("work_mem", "7MB"),
    ] {
        let row = client
            .query_one("select current_setting($1)", &[&setting])
            .await;
        assert_eq!(row.unwrap().get::<_, String>(0), value, "{setting}");
    }
    // The socket is where nobody else can get.
    let place = ask(
        &cluster,
        "select current_setting('unix_socket_directories')",
    )
    .await;
    assert_eq!(fs::metadata(&place).unwrap().mode() & 0o777, 0o700);
    let by_socket = Database::parse(&cluster.socket_url("postgres").unwrap()).unwrap();
    by_socket.connect().await.unwrap();
    let sql = "select datcollate::text from pg_database where datname = 'template1'";
    assert_eq!(ask(&cluster, sql).await, "C");
    let sql = "select coalesce(string_agg(distinct auth_method, ','), '') from pg_hba_file_rules";
    assert_eq!(ask(&cluster, sql).await, "scram-sha-256");

    let password = fs::read_to_string(data_dir.join("password")).unwrap();
    let wrong = cluster.url("postgres").replace(&password, "guess");
    let refused = Database::parse(&wrong).unwrap().connect().await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("check the user and the password"),
        "{refused}"
    );
    let log = fs::read_to_string(data_dir.join("postgres.log")).unwrap();
    assert!(log.contains("ready to accept connections") && !log.contains(&password));
    assert!(!format!("{cluster:?}").contains(&password));
    cluster.destroy().await.unwrap();
}

#[tokio::test]
async fn a_second_start_is_refused_and_harmless() {
    let directory = open_directory();
    let cluster = start(directory.path()).await;
    let refused = try_start(directory.path()).await.unwrap_err().to_string();
    assert!(refused.contains("in use by another tenantry"), "{refused}");
    assert_eq!(ask(&cluster, "select 'alive'").await, "alive");

    // Dropping it kills the server at once.
    let data = server_data(directory.path());
    drop(cluster);
    assert_eq!(running::find(&data), None);
}

#[tokio::test]
async fn reset_removes_the_cluster_and_nothing_else() {
    let directory = open_directory();
    let first = start(directory.path()).await;
    run(&first, "create table gone ()").await;
    let url = first.url("postgres");
    first.stop().await.unwrap();
    fs::write(directory.path().join("note.txt"), "mine").unwrap();

    let reset = ClusterOptions {
        reset: true,
        ..options(directory.path())
    };
    let second = Cluster::start(reset).await.unwrap();
    assert_ne!(second.url("postgres"), url);
    let sql = "select count(*)::text from pg_tables where tablename = 'gone'";
    assert_eq!(ask(&second, sql).await, "0");
    assert!(directory.path().join("note.txt").exists());
    second.destroy().await.unwrap();

    let foreign = open_directory();
    fs::write(foreign.path().join("thesis.tex"), "mine").unwrap();
    let reset = ClusterOptions {
        reset: true,
        ..options(foreign.path())
    };
    let refused = Cluster::start(reset).await.unwrap_err();
    assert!(matches!(refused, ClusterError::NotOurs { .. }), "{refused}");
    assert_eq!(fs::read_dir(foreign.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_failed_start_shows_the_log_and_leaves_nothing_running() {
    let directory = open_directory();
    let mut broken = options(directory.path());
    broken.settings = vec![("shared_buffers".to_owned(), "plenty".to_owned())];
    let refused = Cluster::start(broken).await.unwrap_err().to_string();
    assert!(
        refused.contains("plenty") && refused.contains("postgres.log"),
        "{refused}"
    );
    assert_eq!(running::find(&server_data(directory.path())), None);

    let cluster = start(directory.path()).await;
    assert_eq!(ask(&cluster, "select 'fine'").await, "fine");
    cluster.destroy().await.unwrap();
}
