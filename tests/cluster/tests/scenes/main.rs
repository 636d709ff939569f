//! Scenes of a cluster: real processes, real sockets, real kills.

mod chat;
mod cluster_script;
mod deadlines;
mod devices;
mod fullscreen;
mod goaway;
mod load;
mod login;
mod operator;
mod presence;
mod processes;
mod reload;
mod restart;
mod rights;
mod rolling;
mod seat;
mod settings;
mod terminal;
mod tls;
mod tour;
