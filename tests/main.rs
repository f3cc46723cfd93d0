//! The one test binary: the program as its users meet it, on the simulator and on a real cluster.

mod architecture;
mod faults;
mod foreign;
mod golden;
mod killed;
mod kind;
mod kubectl;
mod locks;
mod longhorn;
mod microk8s;
mod original;
mod render;
mod scenario;
mod support;
mod usage;
