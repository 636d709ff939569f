//! Somebody at a pseudo-terminal with a program on it.
//!
//! Owns the terminal, its screen and the process. Must not know which program.

use std::num::NonZeroU16;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

use cluster::patience::{until, within};
use cluster::terminal::in_order;
use pty_process::{Command, OwnedWritePty, Size};
use rustix::process::Pid;
use rustix::termios::{LocalModes, tcgetattr, tcgetpgrp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

/// The key that ends a line.
pub const ENTER: &str = "\r";

/// Counts what is heard.
#[derive(Debug, Default)]
struct Ears {
    bells: usize,
}

impl vt100::Callbacks for Ears {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }
}

type Glass = Arc<Mutex<vt100::Parser<Ears>>>;

/// Somebody at a terminal with a program on it. Dropped, the program is killed.
pub struct Seat {
    glass: Glass,
    keyboard: OwnedWritePty,
    /// The terminal's end that keeps its modes.
    line: OwnedFd,
    program: Child,
}

impl Seat {
    /// At a window of this size, with a command in it.
    pub fn takes(columns: u16, rows: u16, command: Command) -> Self {
        let (pty, pts) = pty_process::open().expect("a terminal");
        pty.resize(Size::new(rows, columns)).expect("a size");
        let line = pty.as_fd().try_clone_to_owned();
        let program = command
            .env_remove("IM_TOKEN")
            .env_remove("NO_COLOR")
            .env("TERM", "xterm-256color")
            .kill_on_drop(true)
            .spawn(pts)
            .expect("the program starts");
        let (down, across) = (cells(rows), cells(columns));
        let parser = vt100::Parser::new_with_callbacks(down, across, 0, Ears::default());
        let glass = Arc::new(Mutex::new(parser));
        let (mut output, keyboard) = pty.into_split();
        let shown = Arc::clone(&glass);
        tokio::spawn(async move {
            let mut bytes = [0; 4096];
            // It fails when nobody has the terminal open any more.
            while let Ok(count @ 1..) = output.read(&mut bytes).await {
                shown.lock().expect("whole").process(&bytes[..count]);
            }
        });
        Self {
            glass,
            keyboard,
            line: line.expect("a handle"),
            program,
        }
    }

    /// The window has another size.
    pub fn resizes(&mut self, columns: u16, rows: u16) {
        let mut glass = self.glass.lock().expect("whole");
        glass.screen_mut().set_size(cells(rows), cells(columns));
        self.keyboard
            .resize(Size::new(rows, columns))
            .expect("a size");
    }

    /// Keys, as the terminal sends them.
    pub async fn types(&mut self, keys: &str) {
        let typed = self.keyboard.write_all(keys.as_bytes()).await;
        typed.expect("somebody reads");
    }

    fn look<R>(&self, look: impl FnOnce(&vt100::Screen) -> R) -> R {
        look(self.glass.lock().expect("whole").screen())
    }

    /// What is on the screen.
    pub fn screen(&self) -> String {
        self.look(vt100::Screen::contents)
    }

    /// How often it has rung.
    pub fn bells(&self) -> usize {
        self.glass.lock().expect("whole").callbacks().bells
    }

    /// Waits until a row of the screen has all of these words in this order.
    pub async fn sees(&self, words: &[&str]) {
        self.sees_that(&format!("{words:?}"), |screen| has(screen, words))
            .await;
    }

    /// Waits until no row of the screen has them any more.
    pub async fn sees_no(&self, words: &[&str]) {
        self.sees_that(&format!("no {words:?}"), |screen| !has(screen, words))
            .await;
    }

    pub async fn sees_that(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let what = format!("{what} on the screen");
        until(&what, async || is_so(&self.screen()).then_some(())).await;
    }

    /// The process on it.
    pub fn process(&self) -> Pid {
        let id = self
            .program
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()));
        id.expect("it runs")
    }

    /// Whether the program that was started here has the terminal, and none of
    /// those that it runs.
    pub fn is_at_rest(&self) -> bool {
        tcgetpgrp(&self.line).is_ok_and(|group| group == self.process())
    }

    /// Whether the terminal is as a shell wants it.
    pub fn is_given_back(&self) -> bool {
        let modes = tcgetattr(&self.line).expect("modes").local_modes;
        let is_cooked = modes.contains(LocalModes::ICANON | LocalModes::ECHO);
        let is_plain = self.look(|screen| {
            !screen.alternate_screen() && !screen.bracketed_paste() && !screen.hide_cursor()
        });
        is_cooked && is_plain
    }

    /// Waits until the program has ended; gives its code, if no signal ended it.
    pub async fn ends(&mut self) -> Option<i32> {
        let status = within("the end of the program", self.program.wait()).await;
        let code = status.expect("a status").code();
        until("the terminal to be given back", async || {
            self.is_given_back().then_some(())
        })
        .await;
        code
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the last screen\n{}", self.screen());
        }
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("some")
}

fn has(screen: &str, words: &[&str]) -> bool {
    screen.lines().any(|line| in_order(line, words))
}
