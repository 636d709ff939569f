//! The full-screen mode: `im` at a terminal.
//!
//! `app` is the state, without I/O and clock; `view` is the state as a frame;
//! this shell gives the state what happens and does what it wishes.

mod app;
mod layout;
mod terminal;
mod text;
mod view;
mod worker;

use std::io;
use std::time::{Duration, Instant};

use client::{Client, Events, UserId};
use crossterm::event::{Event as TerminalEvent, EventStream};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Size;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;

use self::app::{App, Input, LEAVE_PATIENCE, Link, Now, Wish};
use self::terminal::Terminal;
use self::view::Theme;
use self::worker::{Ask, Worker};
use crate::whom::Whom;

/// Frames are drawn this far apart at least, however much happens.
const FRAME_PAUSE: Duration = Duration::from_millis(16);

/// What the full-screen mode runs on.
struct Shell {
    client: Client,
    app: App,
    terminal: Terminal,
    worker: Worker,
    theme: Theme,
}

/// Runs until the end; returns whether the session ended as this user wanted.
/// Fails when the terminal cannot be used.
pub async fn run(client: Client, events: Events, user: UserId, has_bell: bool) -> io::Result<bool> {
    let has_colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut shell = Shell {
        app: App::new(user, TimeZone::system(), has_bell),
        terminal: Terminal::take()?,
        worker: Worker::start(client.clone()),
        theme: Theme { has_colours },
        client,
    };
    let size = shell.terminal.size()?;
    shell.apply(Input::Resize(size))?;
    let ran = shell.run(events).await;
    let Shell { app, terminal, .. } = shell;
    drop(terminal);
    ran?;
    // What stood on the screen is gone with it.
    if let Link::Closed(Some(why)) = &app.link {
        eprintln!("im: the session was closed: {}", text::clean_line(why));
    }
    if app.lost() > 0 {
        eprintln!("im: messages that may not have arrived: {}", app.lost());
    }
    Ok(!matches!(app.link, Link::Closed(Some(_))))
}

impl Shell {
    async fn run(&mut self, mut events: Events) -> io::Result<()> {
        let mut keys = EventStream::new();
        let mut signals = Signals::new()?;
        let mut is_told_all = false;
        let mut drawn: Option<Instant> = None;
        let mut is_changed = true;
        while !self.app.is_over {
            let at = Instant::now();
            let next_frame = drawn.map_or(at, |drawn| drawn + FRAME_PAUSE);
            if is_changed && next_frame <= at {
                self.draw()?;
                drawn = Some(at);
                is_changed = false;
            }
            let pause = if is_changed {
                next_frame.saturating_duration_since(at)
            } else {
                self.app.next_change(at)
            };
            let input = tokio::select! {
                event = events.next(), if !is_told_all => {
                    is_told_all = event.is_none();
                    event.map(Input::Event)
                }
                key = keys.next() => match key {
                    Some(Ok(key)) => happened(key),
                    // Nobody is there any more.
                    Some(Err(_)) | None => return self.abandon().await,
                },
                Some(done) = self.worker.next() => Some(Input::Done(done)),
                is_gone = signals.next() => {
                    if is_gone {
                        return self.abandon().await;
                    }
                    Some(Input::Signal)
                }
                () = sleep(pause) => None,
            };
            if let Some(input) = input {
                self.apply(input)?;
            }
            is_changed = true;
        }
        if matches!(self.app.link, Link::Closed(_)) {
            // The session is over: whatever waited has its answer now.
            self.worker.finish();
            while let Some(done) = self.worker.next().await {
                self.apply(Input::Done(done))?;
            }
        }
        Ok(())
    }

    /// The terminal is gone: logs out, without anything to show.
    async fn abandon(&mut self) -> io::Result<()> {
        // It ends by itself after its patience; the bound is for a session
        // that somebody is closing already.
        let _ = timeout(2 * LEAVE_PATIENCE, self.client.close(LEAVE_PATIENCE)).await;
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        let (app, theme, now) = (&self.app, self.theme, now());
        self.terminal
            .draw(|frame| view::draw(frame, app, now, theme))
    }

    fn apply(&mut self, input: Input) -> io::Result<()> {
        for wish in self.app.apply(input, now()) {
            self.fulfil(wish)?;
        }
        Ok(())
    }

    fn fulfil(&mut self, wish: Wish) -> io::Result<()> {
        match wish {
            Wish::Send { ticket, to, text } => self.worker.ask(Ask::Send {
                ticket,
                to,
                text,
                again: None,
            }),
            Wish::Again { sent, ticket, text } => self.worker.ask(Ask::Send {
                ticket,
                to: sent.to,
                text,
                again: Some(sent.id),
            }),
            Wish::Change { action, peer } => self.worker.ask(Ask::Change { action, peer }),
            Wish::Devices => self.worker.ask(Ask::Devices),
            Wish::End(device) => self.worker.ask(Ask::End(device)),
            Wish::Status(status) => {
                if let Err(error) = self.client.set_status(status) {
                    self.app.not_done(error, now());
                }
            }
            Wish::Typing(Whom::User(to)) => self.client.typing(&to),
            Wish::Typing(Whom::Group(group)) => self.client.typing_in_group(&group),
            Wish::AskGroup { group, ask } => self.worker.ask(Ask::Group { group, ask }),
            Wish::Here(group) => self.worker.ask(Ask::Here(group)),
            Wish::Fetch { group, before } => self.worker.ask(Ask::Fetch { group, before }),
            Wish::ReadGroup { group, read } => {
                // Refused only at the end, or by a group just left.
                let _ = self.client.mark_group_read(&group, read);
            }
            Wish::Read { peer, up_to } => {
                // Refused only at a bound or at the end; the next one says as
                // much.
                let _ = self.client.mark_read(&peer, up_to);
            }
            Wish::Bell => self.terminal.ring()?,
            Wish::Redraw => self.terminal.forget()?,
            Wish::Suspend => self.terminal.suspend()?,
            Wish::Leave(patience) => {
                let client = self.client.clone();
                tokio::spawn(async move { client.close(patience).await });
            }
        }
        Ok(())
    }
}

fn now() -> Now {
    Now {
        at: Instant::now(),
        wall: Timestamp::now(),
    }
}

fn happened(event: TerminalEvent) -> Option<Input> {
    Some(match event {
        TerminalEvent::Key(key) => Input::Key(key),
        TerminalEvent::Paste(text) => Input::Paste(text),
        TerminalEvent::Resize(columns, rows) => Input::Resize(Size::new(columns, rows)),
        TerminalEvent::FocusGained => Input::Focus(true),
        TerminalEvent::FocusLost => Input::Focus(false),
        TerminalEvent::Mouse(_) => return None,
    })
}

/// Wishes of others that this program end.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next one; whether the terminal is gone.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => false,
            _ = self.terminate.recv() => false,
            _ = self.hangup.recv() => true,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// The next one; whether the terminal is gone.
    async fn next(&mut self) -> bool {
        if tokio::signal::ctrl_c().await.is_err() {
            // There are no signals.
            std::future::pending::<()>().await;
        }
        false
    }
}
