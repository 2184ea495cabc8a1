//! Files that no baseline stands for: nothing is written, and the reason is told.

use super::{Project, command};

#[test]
fn values_that_are_others_at_each_sign_up_are_told() {
    let project = Project::of(&[
        (
            "V1__a.sql",
            "create table secrets (id int primary key, key text not null, made_at timestamptz default now());",
        ),
        (
            "V2__b.sql",
            "insert into secrets (id, key) values (1, gen_random_uuid());",
        ),
    ]);
    project.refused(&["squash"], 4, "secrets.key, secrets.made_at");
    project.refused(&["squash"], 4, "--freeze-values");
    let (code, text) = project.run(&["squash", "--freeze-values"]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn what_a_dump_does_not_tell_is_told() {
    let project = Project::of(&[(
        "V1__a.sql",
        "create type mood as enum ('ok');
        create function mood_number(mood) returns int language sql immutable as 'select 1';
        create cast (mood as int) with function mood_number(mood);",
    )]);
    project.refused(&["squash"], 4, "the number of entries in pg_cast");
    project.write(
        "V1__a.sql",
        "create table a (id int); insert into a values ('x');",
    );
    project.refused(&["squash"], 1, "the files do not run: V1__a.sql, line 1");
    project.refused(&["squash", "--tenant-sql", "/nowhere"], 2, "");
}

#[test]
fn tables_that_are_shared_are_nobodys_own() {
    let project = Project::of(&[(
        "V1__a.sql",
        "create table a (id int); insert into shared.countries values (gen_random_uuid());",
    )]);
    let shared = project.dir.join("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::write(
        shared.join("V1__s.sql"),
        "create table countries (id uuid primary key);",
    )
    .unwrap();
    project.refused(&["squash"], 4, "tables that all tenants share");
    project.write(
        "V1__a.sql",
        "create table a (country uuid references shared.countries);",
    );
    let (code, text) = project.run(&["squash"]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn an_edited_baseline_is_nobodys() {
    let project = Project::of(&[("V1__a.sql", "create table a (id int);")]);
    let (code, text) = project.run(&["squash"]);
    assert_eq!(code, 0, "{text}");
    let file = project.tables().join("B1__baseline.sql");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("id integer", "id bigint")).unwrap();
    project.refused(&["schema"], 9, "it was edited after");
}

/// Distributions have packages with the server alone.
#[test]
fn without_pg_dump_the_package_is_named() {
    let project = Project::of(&[("V1__a.sql", "create table a (id int);")]);
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter();
    let Some(installed) = installed.flatten().flatten().next() else {
        return; // installed elsewhere
    };
    let bin = project.dir.join("bin");
    std::fs::create_dir(&bin).unwrap();
    for program in ["initdb", "postgres"] {
        let there = installed.path().join("bin").join(program);
        std::os::unix::fs::symlink(there, bin.join(program)).unwrap();
    }
    let mut command = command(&["squash"], &project.tables(), None);
    let output = command.env("TENANTRY_PG_BIN", bin).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("postgresql-client-"), "{text}");
    assert_eq!(project.files(), ["V1__a.sql"]);
}
