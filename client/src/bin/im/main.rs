//! `im`: a client for a terminal, full-screen or line by line, and for a pipe.

mod advice;
mod arguments;
mod chat;
mod command;
mod devices;
mod escape;
mod friendly;
mod fullscreen;
mod groups;
mod input;
mod marks;
mod notice;
mod once;
mod plain;
mod post;
mod roster;
mod screen;
mod token;
mod visit;
mod whom;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use client::{Client, DeviceId, Settings, Tls};

use crate::arguments::groups::Of;
use crate::arguments::{Arguments, Command, Login};
use crate::input::Lines;
use crate::screen::{Manner, Screen};
use crate::whom::Whom;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Some(command) => run(command).map(|lines| {
            for line in lines {
                println!("{line}");
            }
            true
        }),
        None => match &arguments.login {
            Some(login) => chat(&arguments, login),
            // The parser asks for one of them.
            None => Err("whom are you? see im --help".into()),
        },
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("im: {error}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether all went well.
fn chat(arguments: &Arguments, login: &Login) -> Result<bool, Box<dyn Error>> {
    let settings = settings(login)?;
    let runtime = runtime()?;
    let at_keyboard = io::stdin().is_terminal() && io::stdout().is_terminal();
    if at_keyboard && !arguments.lines && is_screen() {
        return runtime.block_on(async {
            let (client, events) = Client::connect(settings)?;
            let user = login.user.clone();
            Ok(fullscreen::run(client, events, user, !arguments.no_bell).await?)
        });
    }
    let (lines, screen) = match (at_keyboard, is_screen()) {
        (true, true) => {
            let manner = Manner::now()?;
            let (lines, printer) = Lines::keyboard()?;
            (lines, Screen::Keyboard { printer, manner })
        }
        // The line editor moves the cursor too.
        (true, false) => (Lines::pipe(), Screen::Terminal),
        (false, _) => (Lines::pipe(), Screen::Pipe),
    };
    let user = login.user.clone();
    let well = runtime.block_on(async {
        let (client, events) = Client::connect(settings)?;
        let chat = chat::Chat::new(client, user, screen);
        Ok::<bool, Box<dyn Error>>(chat.run(events, lines).await?)
    })?;
    Ok(well)
}

/// Whether the terminal is one whose cursor can be moved.
fn is_screen() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Does what a subcommand asks for; the lines to print.
fn run(command: Command) -> Result<Vec<String>, Box<dyn Error>> {
    match command {
        Command::Token(token) => Ok(vec![token::run(&token)?]),
        Command::Devices(devices) => {
            let settings = settings(&devices.login)?;
            runtime()?.block_on(devices::run(settings, devices.end.as_ref()))
        }
        Command::Group(group) => {
            let (login, asked) = group.command.asked();
            runtime()?.block_on(once::group(settings(&login)?, asked))
        }
        Command::Send(send) => {
            let to = send.group.map(Whom::Group).or(send.to.map(Whom::User));
            let to = to.ok_or("to whom? --group or --to")?;
            runtime()?.block_on(once::send(settings(&send.login)?, to, send.text))
        }
        Command::History(history) => {
            let Of { login, group } = history.of;
            let count = usize::try_from(history.last)?;
            let asked = once::history(settings(&login)?, group, history.since, count);
            runtime()?.block_on(asked)
        }
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

fn settings(arguments: &Login) -> Result<Settings, Box<dyn Error>> {
    let address = arguments.connect.clone();
    let device = match &arguments.device {
        Some(device) => device.clone(),
        None => random_device()?,
    };
    let tls = match (&arguments.tls_ca, arguments.tls) {
        (Some(file), _) => {
            let pem = std::fs::read(file);
            let pem = pem.map_err(|error| format!("{}: {error}", file.display()))?;
            Some(Tls::trusting(&pem)?)
        }
        (None, true) => Some(Tls::system()?),
        (None, false) => None,
    };
    let settings = match &arguments.token {
        Some(token) => Settings::token(address, token, Some(device)),
        None => Settings::open(address, arguments.user.clone(), device),
    };
    Ok(Settings { tls, ..settings })
}

/// Two terminals of one user are two devices.
fn random_device() -> Result<DeviceId, client::IdError> {
    let letters: String = (0..6).map(|_| fastrand::alphanumeric()).collect();
    DeviceId::new(format!("im-{letters}"))
}
