//! Lists, texts and keys.

use super::*;

#[test]
fn people_are_in_order_and_invitations_can_be_answered() {
    let mut stage = Stage::with_friends(80, 24);
    let order = |stage: &Stage| -> Vec<String> {
        let contacts = stage.app.contacts().into_iter();
        contacts.map(|contact| contact.whom().to_string()).collect()
    };
    assert_eq!(order(&stage), ["dave", "bob", "carol"]);
    stage.hears("carol", 1, "hello");
    assert_eq!(order(&stage), ["carol", "dave", "bob"]);
    stage.key(KeyCode::Tab);
    stage.key(KeyCode::Home);
    stage.key(KeyCode::Char('a'));
    assert_eq!(stage.app.told(stage.now.at), Some("that is no invitation"));
    stage.key(KeyCode::Down);
    stage.key(KeyCode::Char('a'));
    let accept = |name| Wish::Change {
        action: FriendAction::Accept,
        peer: user(name),
    };
    assert_eq!(stage.wishes.last(), Some(&accept("dave")));
    stage.key(KeyCode::Enter);
    stage.wishes.clear();
    stage.enters("/accept");
    assert_eq!(
        stage.wishes.last(),
        Some(&accept("dave")),
        "about whom is clear"
    );
    stage.does(Input::Done(Done::Changed {
        action: FriendAction::Accept,
        peer: user("dave"),
        result: Err(ChangeError::Refused(Code::NoRequest)),
    }));
    assert!(
        stage
            .app
            .told(stage.now.at)
            .unwrap()
            .contains("accept dave")
    );
}

#[test]
fn what_cannot_be_done_stays_to_be_mended() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/nonsense");
    assert_eq!(stage.app.talk().composer.text(), "/nonsense");
    assert!(stage.app.told(stage.now.at).unwrap().contains("/nonsense"));
    stage.control('u');
    stage.enters("hello?");
    assert_eq!(stage.app.talk().composer.text(), "hello?");
    assert!(stage.wishes.is_empty());
}

#[test]
fn a_paste_is_one_text() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/to bob");
    stage.does(Input::Paste("one\rtwo\r\nthree\x1b".into()));
    assert_eq!(stage.app.talk().composer.text(), "one\ntwo\nthree");
    assert!(
        !stage
            .wishes
            .iter()
            .any(|wish| matches!(wish, Wish::Send { .. }))
    );
}

#[test]
fn a_search_finds_back_and_forth() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/to bob");
    for n in 0..100 {
        stage.hears("bob", n, &format!("number {n}"));
    }
    stage.control('f');
    stage.types("NUMBER 5");
    let found = |stage: &Stage| match &stage.app.mode {
        Mode::Search(search) => search.found.map(|serial| serial - 1),
        _ => None,
    };
    assert_eq!(found(&stage), Some(59));
    stage.key(KeyCode::Up);
    assert_eq!(found(&stage), Some(58));
    stage.key(KeyCode::Down);
    stage.key(KeyCode::Down);
    assert_eq!(found(&stage), Some(59));
    stage.types("x");
    assert_eq!(found(&stage), None);
    stage.key(KeyCode::Esc);
    assert_ne!(stage.app.talk().place, Place::Newest);
    stage.key(KeyCode::Esc);
    assert_eq!(stage.app.talk().place, Place::Newest);
}

#[test]
fn earlier_texts_come_back_and_a_draft_is_not_lost() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/to bob");
    stage.enters("one");
    stage.enters("two");
    stage.types("draft");
    let shown = |stage: &Stage| stage.app.talk().composer.text().to_owned();
    for text in ["two", "one", "/to bob", "/to bob"] {
        stage.key(KeyCode::Up);
        assert_eq!(shown(&stage), text);
    }
    for text in ["one", "two", "draft", "draft"] {
        stage.key(KeyCode::Down);
        assert_eq!(shown(&stage), text);
    }
}

#[test]
fn typing_is_seen_for_a_while_and_told_now_and_then() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/to bob");
    stage.types("hello");
    stage.waits(Duration::from_secs(4));
    stage.types("!");
    let typing = Wish::Typing(whom("bob"));
    assert_eq!(stage.wishes, [typing.clone(), typing]);
    stage.enters(" /status invisible");
    stage.control('u');
    stage.enters("/status invisible");
    stage.waits(Duration::from_secs(4));
    stage.wishes.clear();
    stage.types("unseen");
    assert!(stage.wishes.is_empty());
    stage.event(Event::Transient(TransientFrom {
        from: user("bob"),
        kind: client::TRANSIENT_TYPING,
        body: Bytes::new(),
    }));
    let until = stage.app.talk().typing_until.unwrap();
    assert!(until > stage.now.at);
    stage.hears("bob", 1, "there");
    assert_eq!(stage.app.talk().typing_until, None);
}

#[test]
fn no_keys_in_any_order_on_any_screen_break_it() {
    let mut stage = Stage::with_friends(80, 24);
    let mut seed: u32 = 7;
    let mut draw = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    let codes = [
        KeyCode::Enter,
        KeyCode::Tab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Esc,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::F(1),
        KeyCode::Char('n'),
        KeyCode::Char('p'),
        KeyCode::Char('f'),
        KeyCode::Char('g'),
        KeyCode::Char('w'),
        KeyCode::Char('a'),
        KeyCode::Char('d'),
        KeyCode::Char(' '),
        KeyCode::Char('日'),
        KeyCode::Char('k'),
        KeyCode::Char('j'),
        KeyCode::Char('b'),
    ];
    let modifiers = [
        KeyModifiers::NONE,
        KeyModifiers::NONE,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT,
    ];
    for n in 0..20_000 {
        match draw(20) {
            0 => {
                let (columns, rows) = (draw(100) as u16, draw(30) as u16);
                stage.does(Input::Resize(Size::new(columns, rows)));
            }
            1 => stage.hears(
                ["bob", "carol", "eve"][draw(3) as usize],
                n,
                "日本語 👍🏽 text",
            ),
            2 => stage.does(Input::Paste("two\nlines".into())),
            _ => {
                let code = codes[draw(codes.len() as u32) as usize];
                stage.press(code, modifiers[draw(4) as usize]);
            }
        }
        assert!(rows::in_sight(stage.app.talk(), stage.app.page()).len() <= 30);
    }
    assert!(stage.app.waiting <= WAITING_MAX);
    assert!(matches!(stage.app.link, Link::Online));
}
