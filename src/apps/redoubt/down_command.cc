// redoubt down: the agent first, so that what it still has reaches the node.
#include "apps/redoubt/commands.h"
#include "apps/redoubt/daemon.h"
#include "apps/redoubt/layout.h"
#include "apps/redoubt/output.h"

namespace redoubt::cli {

Exit run_down(const Arguments& arguments) {
  const std::string home = home_directory(arguments.home);
  std::string json;
  for (const char* name : {"redoubt-agent", "redoubtd"}) {
    const auto stopped = stop({name, home});
    if (!stopped) return print_error(stopped.error());
    std::string_view how;
    switch (*stopped) {
      case Stopped::was_not_running: how = "was not running"; break;
      case Stopped::at_request: how = "stopped"; break;
      case Stopped::killed: how = "killed, it did not stop in 10 s"; break;
    }
    if (arguments.format == Format::text) print_line(std::string(name) + ": " + std::string(how));
    json += (json.empty() ? "\"" : ",\"") + std::string(name) + "\":\"" + std::string(how) + "\"";
  }
  if (arguments.format == Format::json) print_line("{" + json + "}");
  return Exit::ok;
}

}  // namespace redoubt::cli
