// Tells a supervising systemd how the agent is: the datagrams of sd_notify(3), which need no library. Nothing happens
// where no supervisor asked for them. One thread.
#pragma once

#include <string>

namespace redoubt::agent {

class Supervisor {
 public:
  // From NOTIFY_SOCKET and WATCHDOG_USEC, which children must not inherit: both leave the environment.
  Supervisor();

  void ready() const { send("READY=1"); }
  void stopping() const { send("STOPPING=1"); }
  // One line that `systemctl status` shows.
  void status(const std::string& line) const { send("STATUS=" + line); }
  // Due more often than WatchdogSec; systemd kills and restarts an agent that does not come.
  void alive() const;

 private:
  void send(const std::string& message) const;

  std::string socket_;  // empty: nobody listens
  bool watched_ = false;
};

}  // namespace redoubt::agent
