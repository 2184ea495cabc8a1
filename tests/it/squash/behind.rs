//! Tenants that have not run all that a baseline stands for.

use super::{Project, create, done, files, run, status};
use crate::harness::Service;
use crate::harness::database::scalar;

const FILES: [(&str, &str); 3] = [
    ("V1__a.sql", "create table a (id int primary key);"),
    (
        "V2__b.sql",
        "create table b (id int primary key); insert into b values (1);",
    ),
    ("V3__c.sql", "alter table b add c int not null default 3;"),
];

#[tokio::test]
async fn who_is_behind_runs_the_files_that_are_replaced() {
    let Project { dir } = Project::of(&FILES);
    let tables = dir.join("tables");
    // The service knows the first file only, and does not see the others.
    let served = dir.join("served");
    std::fs::create_dir(&served).unwrap();
    std::fs::copy(tables.join("V1__a.sql"), served.join("V1__a.sql")).unwrap();
    let service = Service::dev_in(dir, &["--tenant-sql", served.to_str().unwrap()]);
    let psql = service.psql().await;
    done(&["squash"], &tables, None);
    create("new", &tables, &service);

    // acme and globex have yet to run two files.
    let all = files(&tables);
    let (code, text) = run(&["squash", "--remove"], &tables, Some(&service));
    assert_eq!((code, files(&tables)), (12, all), "{text}");
    assert!(
        text.contains("acme and another tenant have not run"),
        "{text}"
    );
    let json = status(&tables, &service);
    assert_eq!(json["counts"]["behind"], 2, "{json:#}");
    assert_eq!(json["counts"]["drifted"], 0, "{json:#}");

    // Somebody has removed one all the same.
    std::fs::remove_file(tables.join("V2__b.sql")).unwrap();
    for (command, expected) in [(&["migrate"][..], 7), (&["migrate", "--dry-run"], 1)] {
        let (code, text) = run(command, &tables, Some(&service));
        assert_eq!(code, expected, "{text}");
        let reason = "files have not run here and are gone, as B3__baseline.sql stands for them: V2__b.sql; ";
        assert!(text.contains(reason), "{text}");
    }
    let (code, text) = run(&["migrate", "--to", "2"], &tables, Some(&service));
    assert_eq!(code, 9, "{text}");
    assert!(
        text.contains("gone, as B3__baseline.sql stands for them: V2__b.sql; "),
        "{text}"
    );
    let versions =
        "select string_agg(app_version::text, ' ' order by app_version) from tenantry.tenants";
    assert_eq!(scalar(&psql, versions).await.unwrap(), "1 1 3");

    std::fs::write(tables.join("V2__b.sql"), FILES[1].1).unwrap();
    done(&["migrate"], &tables, Some(&service));
    let json = status(&tables, &service);
    assert_eq!(json["counts"]["current"], 3, "{json:#}");
    assert_eq!(json["counts"]["drifted"], 0, "{json:#}");
    let told = done(&["squash", "--remove"], &tables, Some(&service));
    assert!(
        told.starts_with("B3__baseline.sql is there already"),
        "{told}"
    );
    assert_eq!(files(&tables), ["B3__baseline.sql"]);
    done(&["migrate"], &tables, Some(&service));
    done(&["status"], &tables, Some(&service));
}

#[tokio::test]
async fn a_part_of_the_files_may_be_replaced() {
    let project = Project::of(&FILES);
    let (code, text) = project.run(&["squash", "--to", "2"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("B2__baseline.sql stands for 2 files"),
        "{text}"
    );
    project.refused(
        &["squash", "--to", "1"],
        4,
        "B2__baseline.sql stands for all files",
    );
    project.refused(&["squash", "--to", "7"], 9, "no version 7");
    // Nobody knows whose tenants would be behind.
    let remove = ["squash", "--to", "2", "--remove", "--data-dir", "/nowhere"];
    project.refused(&remove, 1, "which database?");
    std::fs::remove_file(project.tables().join("V1__a.sql")).unwrap();
    let (code, text) = project.run(&["squash"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("removed B2__baseline.sql"), "{text}");
    let expected = ["B3__baseline.sql", "V2__b.sql", "V3__c.sql"];
    assert_eq!(project.files(), expected);
    project.write("V2__b.sql", "create table b (id int);");
    project.refused(
        &["schema"],
        9,
        "V2__b.sql is not the file that B3__baseline.sql stands for",
    );
}
