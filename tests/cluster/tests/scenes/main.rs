//! Scenes of a cluster: real processes, real sockets, real kills.

mod chat;
mod clock;
mod cluster_script;
mod deadlines;
mod descriptors;
mod devices;
mod disk;
mod fullscreen;
mod goaway;
mod hostile;
mod load;
mod login;
mod mistakes;
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
mod unfair;
