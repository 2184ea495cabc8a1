//! Questions to the person at the terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use super::exit::{Refused, Status};

/// Goes on when the answer is what is expected; without a terminal, only when `yes` was said on the command line.
pub(super) fn confirm(yes: bool, question: &str, expected: &str) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        let message = "there is no terminal to ask at: add --yes";
        return Err(Refused::new(Status::NotConfirmed, message).into());
    }
    eprint!("{question} ");
    std::io::stderr().flush()?;
    if line()?.trim() == expected {
        Ok(())
    } else {
        Err(Refused::new(Status::NotConfirmed, "nothing was done").into())
    }
}

/// Reads a password: a line of standard input, twice and unseen where that is a terminal.
pub(super) fn password() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        return line();
    }
    let first = unseen("Password: ")?;
    anyhow::ensure!(
        first == unseen("Once more: ")?,
        "the two passwords are not the same"
    );
    Ok(first)
}

fn unseen(prompt: &str) -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    eprint!("{prompt}");
    std::io::stderr().flush()?;
    let before = tcgetattr(&stdin)?;
    let mut silent = before.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    tcsetattr(&stdin, SetArg::TCSANOW, &silent)?;
    let typed = line();
    tcsetattr(&stdin, SetArg::TCSANOW, &before)?;
    eprintln!();
    typed
}

/// One line of standard input, without its end.
fn line() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().read_line(&mut text)?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}
