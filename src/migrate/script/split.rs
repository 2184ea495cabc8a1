//! A psql script taken apart: its statements, the data of its COPYs, and nothing of psql's own commands.

use std::ops::Range;

use super::ScriptError;
use super::lex::{Kind, Lexer, Token, line_at};
use super::tokens::Tokens;

/// A statement without its semicolon.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) tokens: Vec<Token>,
    /// The lines that follow `COPY … FROM stdin;`, without the closing `\.`.
    pub(super) data: Option<Range<usize>>,
}

pub(super) fn split(sql: &str) -> Result<Vec<Piece>, ScriptError> {
    let mut lexer = Lexer::new(sql);
    let mut pieces = Vec::new();
    let mut open = Open::default();
    while let Some(token) = lexer.next()? {
        match token.kind {
            Kind::Backslash => {
                let line = line_end(sql, token.start);
                let command = sql[token.end..line].trim();
                match psql_command(command, open.tokens.is_empty()) {
                    Command::Ignore => lexer.position = line,
                    Command::Quit => break,
                    Command::Refuse(message) => {
                        return Err(ScriptError::new(line_at(sql, token.start), message));
                    }
                }
            }
            Kind::Semicolon if open.ends_here() => {
                let tokens = std::mem::take(&mut open).tokens;
                if !tokens.is_empty() {
                    pieces.push(finish(sql, &mut lexer, tokens)?);
                }
            }
            _ => open.push(sql, token),
        }
    }
    if !open.tokens.is_empty() {
        pieces.push(finish(sql, &mut lexer, open.tokens)?);
    }
    Ok(pieces)
}

/// The statement that is being read.
#[derive(Default)]
struct Open {
    tokens: Vec<Token>,
    /// `CREATE RULE … DO (…; …)`
    parentheses: usize,
    /// `BEGIN ATOMIC … END` of a function in standard SQL, and each `CASE … END` within.
    blocks: usize,
}

impl Open {
    fn ends_here(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }

    fn push(&mut self, sql: &str, token: Token) {
        self.tokens.push(token);
        let tokens = Tokens {
            text: sql,
            all: &self.tokens,
        };
        let at = self.tokens.len() - 1;
        match token.kind {
            Kind::Open => self.parentheses += 1,
            Kind::Close => self.parentheses = self.parentheses.saturating_sub(1),
            Kind::Word if self.blocks > 0 && tokens.is(at, "CASE") => self.blocks += 1,
            Kind::Word if self.blocks > 0 && tokens.is(at, "END") => self.blocks -= 1,
            Kind::Word
                if at > 0 && tokens.is(0, "CREATE") && tokens.are(at - 1, &["BEGIN", "ATOMIC"]) =>
            {
                self.blocks = 1;
            }
            _ => {}
        }
    }
}

/// What follows a statement can depend on it: data, or another way to write literals.
fn finish(sql: &str, lexer: &mut Lexer<'_>, all: Vec<Token>) -> Result<Piece, ScriptError> {
    let tokens = Tokens {
        text: sql,
        all: &all,
    };
    let mut data = None;
    if tokens.is(0, "COPY") {
        data = Some(copy_data(sql, lexer, tokens)?);
    } else if tokens.is(0, "SET") {
        let name = if tokens.is_any(1, &["SESSION", "LOCAL"]) {
            2
        } else {
            1
        };
        if tokens.is(name, "STANDARD_CONFORMING_STRINGS") {
            let value = tokens
                .value(name + 2)
                .unwrap_or_else(|| tokens.raw(name + 2).into());
            lexer.backslashes =
                ["off", "false", "no", "0"].contains(&value.to_ascii_lowercase().as_str());
        }
    }
    Ok(Piece { tokens: all, data })
}

fn copy_data(
    sql: &str,
    lexer: &mut Lexer<'_>,
    tokens: Tokens<'_>,
) -> Result<Range<usize>, ScriptError> {
    let line = line_at(sql, tokens.all[0].start);
    let refuse = |message: &str| Err(ScriptError::new(line, message));
    let direction = tokens
        .outside_parentheses()
        .find(|at| *at > 0 && tokens.is_any(*at, &["FROM", "TO"]));
    let Some(direction) = direction else {
        return refuse("COPY without FROM");
    };
    if tokens.is(direction, "TO") {
        return refuse("COPY … TO exports data, which a migration can't do");
    }
    if tokens.is(direction + 1, "PROGRAM") {
        return refuse(
            "COPY … FROM PROGRAM runs a program on the database server; use COPY … FROM stdin",
        );
    }
    if !tokens.is(direction + 1, "STDIN") {
        return refuse(
            "COPY … FROM a file reads the database server's disk; put the rows into the migration with COPY … FROM stdin",
        );
    }
    if (direction..tokens.all.len()).any(|at| {
        tokens
            .value(at)
            .is_some_and(|word| word.eq_ignore_ascii_case("binary"))
    }) {
        return refuse("COPY in binary format can't be part of a text file");
    }
    let start = (line_end(sql, lexer.position) + 1).min(sql.len());
    let mut end = start;
    loop {
        if end >= sql.len() {
            return refuse("the data of this COPY isn't ended by a line \\.");
        }
        let next = line_end(sql, end);
        if sql[end..next].trim_end_matches('\r') == "\\." {
            lexer.position = next;
            return Ok(start..end);
        }
        end = (next + 1).min(sql.len());
    }
}

fn line_end(sql: &str, from: usize) -> usize {
    sql[from..]
        .find('\n')
        .map_or(sql.len(), |length| from + length)
}

enum Command {
    Ignore,
    Quit,
    Refuse(String),
}

/// Commands that only talk to the person at the terminal are left out; those that would change what is executed can't be.
fn psql_command(command: &str, between_statements: bool) -> Command {
    let name = command
        .split(|c: char| c.is_whitespace())
        .next()
        .unwrap_or_default();
    let refuse = |why: &str| Command::Refuse(format!("psql's \\{name} {why}"));
    match name {
        "i" | "ir" | "include" | "include_relative" => {
            refuse("includes another file; make that file a migration of its own")
        }
        "copy" => refuse(
            "reads a file of its own; put the rows into the migration with COPY … FROM stdin",
        ),
        "if" | "elif" | "else" | "endif" => refuse("makes the script depend on psql's variables"),
        "!" | "lo_import" | "lo_export" | "lo_unlink" | "o" | "out" | "w" | "write" | "e"
        | "edit" => refuse("works on the machine that psql runs on"),
        _ if name.starts_with('g')
            || matches!(name, "bind" | "parse" | "watch" | "crosstabview" | ";") =>
        {
            refuse("sends the statement in a way of its own; end it with a semicolon")
        }
        "encoding"
            if !command
                .to_ascii_lowercase()
                .replace('-', "")
                .contains("utf8") =>
        {
            refuse("must be UTF8: save the file in UTF-8")
        }
        "q" | "quit" => Command::Quit,
        _ if between_statements => Command::Ignore,
        _ => refuse("stands in the middle of a statement"),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    fn statements(sql: &str) -> Vec<&str> {
        split(sql)
            .unwrap()
            .iter()
            .map(|piece| &sql[piece.tokens[0].start..piece.tokens[piece.tokens.len() - 1].end])
            .collect()
    }

    fn refusal(sql: &str) -> String {
        split(sql).unwrap_err().to_string()
    }

    #[test]
    fn semicolons_end_statements_only_at_the_top() {
        let rule = "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b)";
        let function = "create function f(a int) returns int begin atomic
            select case when a > 0 then case a when 1 then 2 end else 3 end; select 4; end";
        let body = "do $$ begin perform 1; end $$";
        let sql = format!("; {rule};\n{function}\n;{body}; ; select ';'");
        assert_eq!(statements(&sql), [rule, function, body, "select ';'"]);
    }

    #[test]
    fn a_transaction_that_begins_is_a_statement() {
        assert_eq!(
            statements("begin; select 1; end;"),
            ["begin", "select 1", "end"]
        );
    }

    #[test]
    fn copy_takes_the_lines_up_to_the_mark() {
        let sql = "COPY t (a, b) FROM stdin; -- rows\r\n1\t;'\r\n\\N\t\\.\r\n\\.\r\nselect 1;";
        let pieces = split(sql).unwrap();
        assert_eq!(
            &sql[pieces[0].data.clone().unwrap()],
            "1\t;'\r\n\\N\t\\.\r\n"
        );
        assert!(pieces[1].data.is_none());
        assert_eq!(
            split("copy t from stdin csv;\n\\.").unwrap()[0].data,
            Some(23..23)
        );
    }

    #[test]
    fn copy_from_elsewhere_is_refused() {
        assert!(refusal("\n\ncopy t from '/tmp/x';").starts_with("line 3: COPY … FROM a file"));
        assert!(refusal("copy (select 1) to stdout;").contains("exports"));
        assert!(refusal("copy t from program 'ls';").contains("PROGRAM"));
        assert!(refusal("copy t from stdin;\n1\n").contains("isn't ended"));
        assert!(refusal("copy t from stdin with (format binary);\n\\.\n").contains("binary"));
    }

    #[test]
    fn what_psql_shows_is_left_out_and_what_it_does_is_refused() {
        let sql = "\\set ON_ERROR_STOP on\n\\restrict a'b\n\\connect demo\n\\echo it's; here\nselect 1;\n\\unrestrict\n\\.\n";
        assert_eq!(statements(sql), ["select 1"]);
        assert_eq!(
            statements("select 1;\n\\q\nnot sql at all ' "),
            ["select 1"]
        );
        assert!(refusal("select 1;\n\\ir data.sql").starts_with("line 2: psql's \\ir includes"));
        assert!(refusal("\\copy t from x").contains("COPY … FROM stdin"));
        assert!(refusal("select 'drop table ' || x \\gexec").contains("\\gexec"));
        assert!(refusal("select \\echo x\n 1").contains("in the middle"));
    }

    #[test]
    fn literals_follow_standard_conforming_strings() {
        let sql = r"SET standard_conforming_strings = off; select 'a\'b;'; SET standard_conforming_strings = on; select '\';";
        assert_eq!(statements(sql).len(), 4);
    }
}
