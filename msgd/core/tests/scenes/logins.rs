//! Log-ins of one device: the later one stays, however often gateways announce
//! the earlier one before they hear where it stands.

use msgd_core::{Event, Settings};
use proto::codes::Code;
use proto::ids::{GatewayId, LoginOrder, SessionId};
use proto::link::{Announce, Down, Up};

use crate::stage::{GATEWAY as EARLIER, Stage, user};

const LATER: GatewayId = GatewayId(7_002);
const SESSION: SessionId = SessionId(3);

/// What a gateway hears of its session.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    Accepted(LoginOrder),
    Refused(Code),
    Closed(Code),
}

/// One device that logs in by two gateways.
struct Scene(Stage);

impl Scene {
    fn new() -> Self {
        let mut stage = Stage::serving(Settings::default(), &[]);
        stage.handle(Event::GatewayUp { gateway: LATER });
        Self(stage)
    }

    /// A gateway announces its session of the device; gives what is said.
    fn announced(
        &mut self,
        gateway: GatewayId,
        order: Option<LoginOrder>,
    ) -> Vec<(GatewayId, Word)> {
        let announce = Announce {
            order,
            again: order.is_some(),
            ..self.0.session(SESSION, &user("ann"), "phone")
        };
        self.0.comes(gateway, Up::Announce(Box::new(announce)));
        let heard = self.0.sent.drain(..).filter_map(|(gateway, envelope)| {
            let word = match envelope {
                Down::Accepted { order, .. } => Word::Accepted(order),
                Down::Refused { code, .. } => Word::Refused(code),
                Down::Close { code, .. } => Word::Closed(code),
                _ => return None,
            };
            Some((gateway, word))
        });
        heard.collect()
    }

    /// The session is accepted; gives where it stands.
    fn logs_in(&mut self, gateway: GatewayId, order: Option<LoginOrder>) -> LoginOrder {
        match self.announced(gateway, order)[..] {
            [.., (to, Word::Accepted(order))] if to == gateway => order,
            ref heard => panic!("{heard:?}"),
        }
    }

    fn is_gone(&mut self, gateway: GatewayId) {
        let gone = Up::Gone {
            session: SESSION,
            user: user("ann"),
            lost: true,
        };
        self.0.comes(gateway, gone);
    }
}

const REFUSED: [(GatewayId, Word); 1] = [(EARLIER, Word::Refused(Code::Replaced))];

#[test]
fn who_was_replaced_stays_so_until_its_gateway_has_heard_it() {
    let mut scene = Scene::new();
    let former = scene.logs_in(EARLIER, None);
    let heard = scene.announced(LATER, None);
    let [
        (EARLIER, Word::Closed(Code::Replaced)),
        (LATER, Word::Accepted(order)),
    ] = heard[..]
    else {
        panic!("{heard:?}");
    };
    assert!(order > former);
    // Announced again, for a link that came up, before it heard of either.
    assert_eq!(scene.announced(EARLIER, None), REFUSED);
    assert_eq!(scene.announced(EARLIER, None), REFUSED, "as often as it is");
    assert_eq!(scene.announced(EARLIER, Some(former)), REFUSED);
    assert!(scene.logs_in(LATER, None) > former);
    // A gateway's later log-in has another number, this one never comes again;
    // here it shows that what is over is forgotten.
    scene.is_gone(EARLIER);
    scene.logs_in(EARLIER, None);
}

#[test]
fn who_was_replaced_comes_again_when_the_later_one_has_gone() {
    let mut scene = Scene::new();
    let former = scene.logs_in(EARLIER, None);
    scene.logs_in(LATER, None);
    scene.is_gone(LATER);
    assert_eq!(scene.logs_in(EARLIER, None), former, "where it stood");
}
