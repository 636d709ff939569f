//! A section of a settings file over a type of a core.
//!
//! Owns how the two are kept in step: each key is named once, with how it is
//! written, its bounds, and whether SIGHUP takes it; the defaults are the
//! core's. Must not know any key.

/// Declares a section. It can be read by serde, put on a
/// [`Sheet`](crate::settings::sheet::Sheet), made into the core's type, and
/// take over from another what SIGHUP may change. A field of the core that has
/// no key here, and is not named under `besides`, does not compile.
///
/// ```
/// use std::time::Duration;
///
/// /// What a core has.
/// #[derive(Default)]
/// pub struct Core {
///     /// A time.
///     pub patience: Duration,
///     /// A bound.
///     pub waiting_max: usize,
///     /// What does not stand in the section.
///     pub strict: bool,
/// }
///
/// node::section! {
///     /// Its section.
///     pub Section "core" of Core, besides { strict: bool } {
///         patience: Span [Span::ms(0), Span::s(60)] Yes;
///         waiting_max: Count [Count::of(0), Count::of(100)] No;
///     }
/// }
///
/// assert!(!Section::default().core(false).strict);
/// ```
#[macro_export]
macro_rules! section {
    (
        $(#[$meta:meta])*
        pub $name:ident $title:literal of $core:ty $(, besides { $($more:ident: $type:ty),* })? {
            $($key:ident: $kind:ident [$min:expr, $max:expr] $reload:ident;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, $crate::settings::Deserialize)]
        #[serde(crate = "node::settings::serde", default, deny_unknown_fields)]
        pub struct $name {
            $($key: $crate::settings::value::$kind,)*
        }

        impl Default for $name {
            fn default() -> Self {
                let core = <$core>::default();
                Self { $($key: core.$key.into(),)* }
            }
        }

        impl $name {
            /// Puts every key on the sheet, and what is out of its bounds.
            pub fn describe(&self, sheet: &mut $crate::settings::sheet::Sheet) {
                #[allow(unused_imports)]
                use $crate::settings::{sheet::Reload, value::{Bytes, Count, Span}};
                sheet.section($title);
                $(sheet.ranged(
                    stringify!($key),
                    self.$key,
                    [$min, $max],
                    Reload::$reload,
                );)*
            }

            /// The core's settings.
            pub fn core(&self $($(, $more: $type)*)?) -> $core {
                type Made = $core;
                Made { $($key: self.$key.into(),)* $($($more,)*)? }
            }

            /// Takes what SIGHUP may change.
            pub fn take_over(&mut self, new: &Self) {
                use $crate::settings::sheet::Reload;
                $(if Reload::$reload == Reload::Yes {
                    self.$key = new.$key;
                })*
            }
        }
    };
}
