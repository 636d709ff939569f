//! Where lines come from: a keyboard with a line editor, or a pipe.
//!
//! Owns the thread that reads. Must not know what a line means.

use std::io::{self, BufRead, Read};
use std::sync::mpsc as blocking;
use std::thread;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{Context, Editor, ExternalPrinter, Helper};
use tokio::sync::mpsc;

/// The longest line, in bytes: above the largest body that any server takes.
const LINE_BYTES_MAX: u64 = 128 * 1024;

/// Lines read ahead of their turn; then the reader waits.
const LINES_MAX: usize = 64;

/// What was typed.
#[derive(Debug)]
pub enum Input {
    /// A whole line.
    Line(String),
    /// The beginning of a line, at a keyboard.
    Typing(String),
    /// Nothing more comes.
    End,
}

/// The lines of a keyboard or pipe.
#[derive(Debug)]
pub struct Lines {
    inputs: mpsc::Receiver<Input>,
    /// Says the prompt of the next line to a keyboard.
    prompts: Option<blocking::SyncSender<String>>,
}

impl Lines {
    /// Lines of standard input as they are.
    pub fn pipe() -> Self {
        let (sender, inputs) = mpsc::channel(LINES_MAX);
        thread::spawn(move || read_pipe(&sender));
        let prompts = None;
        Self { inputs, prompts }
    }

    /// Lines edited at a terminal, and the way to print above them.
    pub fn keyboard() -> rustyline::Result<(Self, Box<dyn ExternalPrinter + Send>)> {
        let (sender, inputs) = mpsc::channel(LINES_MAX);
        let (prompts, next_prompt) = blocking::sync_channel(1);
        let mut editor: Editor<Watch, DefaultHistory> = Editor::new()?;
        editor.set_helper(Some(Watch(sender.clone())));
        let printer = Box::new(editor.create_external_printer()?);
        thread::spawn(move || read_keyboard(editor, &sender, &next_prompt));
        let prompts = Some(prompts);
        Ok((Self { inputs, prompts }, printer))
    }

    /// The next input; after the end only the end.
    pub async fn next(&mut self) -> Input {
        self.inputs.recv().await.unwrap_or(Input::End)
    }

    /// At a keyboard: the line before is dealt with, another may be typed.
    pub fn ready(&self, prompt: String) {
        if let Some(prompts) = &self.prompts {
            // Full: the reader has not taken the one before, and will not type
            // two lines. Closed: it has ended.
            let _ = prompts.try_send(prompt);
        }
    }
}

fn read_pipe(sender: &mpsc::Sender<Input>) {
    let mut input = io::stdin().lock();
    loop {
        let mut line = Vec::new();
        let read = (&mut input)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line);
        if !read.is_ok_and(|bytes| bytes > 0) {
            break;
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        if sender.blocking_send(Input::Line(line)).is_err() {
            return;
        }
    }
    // Nobody listens any more: then nobody needs to know.
    let _ = sender.blocking_send(Input::End);
}

fn read_keyboard(
    mut editor: Editor<Watch, DefaultHistory>,
    sender: &mpsc::Sender<Input>,
    next_prompt: &blocking::Receiver<String>,
) {
    while let Ok(prompt) = next_prompt.recv() {
        let input = match editor.readline(&prompt) {
            Ok(line) => {
                // A line that is not remembered can be typed again.
                let _ = editor.add_history_entry(&line);
                Input::Line(line)
            }
            Err(ReadlineError::Signal(_)) => Input::Line(String::new()),
            Err(_) => Input::End,
        };
        let ended = matches!(input, Input::End);
        if sender.blocking_send(input).is_err() || ended {
            return;
        }
    }
}

/// Notices that somebody types: the editor asks for a hint at every change.
struct Watch(mpsc::Sender<Input>);

impl Hinter for Watch {
    type Hint = String;

    fn hint(&self, line: &str, _: usize, _: &Context<'_>) -> Option<String> {
        if !line.is_empty() {
            // Full: one notice less.
            let _ = self.0.try_send(Input::Typing(line.to_owned()));
        }
        None
    }
}

impl Completer for Watch {
    type Candidate = String;
}

impl Highlighter for Watch {}

impl Validator for Watch {}

impl Helper for Watch {}
