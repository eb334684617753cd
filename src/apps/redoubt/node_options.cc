#include "apps/redoubt/node_options.h"

#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr size_t kChoicesBytesMax = 4096;

std::string choices_path(const std::string& home) { return home + "/up.json"; }

std::vector<std::string> node_command(const std::string& programs, const std::string& home, const char* verb) {
  std::vector<std::string> command = {programs + "/redoubtd", verb, "--data", home + "/node"};
  const std::string config = home + "/redoubtd.yaml";
  if (access(config.c_str(), F_OK) == 0) command.insert(command.end(), {"--config", config});
  return command;
}

}  // namespace

Result<NodeChoices> choose(const Arguments& arguments, const std::string& home) {
  const std::string path = choices_path(home);
  const auto text = base::read_file(path, kChoicesBytesMax);
  const json before = text ? json::parse(*text, nullptr, false) : json::object();
  if (!before.is_object()) return fail(Errc::corrupt, path + " is no JSON object");
  NodeChoices choices;
  choices.listen = arguments.listen.empty() ? before.value("listen", choices.listen) : arguments.listen;
  choices.api_port = arguments.api_port < 0 ? before.value("api_port", choices.api_port) : arguments.api_port;
  choices.link_port = arguments.link_port < 0 ? before.value("link_port", choices.link_port) : arguments.link_port;
  choices.scanner_port =
      arguments.scanner_port < 0 ? before.value("scanner_port", choices.scanner_port) : arguments.scanner_port;
  const bool changed =
      choices.listen != before.value("listen", "") || choices.api_port != before.value("api_port", -1) ||
      choices.link_port != before.value("link_port", -1) || choices.scanner_port != before.value("scanner_port", -1);
  if (changed) TRY_STATUS(keep_choices(choices, home));
  return choices;
}

Status keep_choices(const NodeChoices& choices, const std::string& home) {
  const json now = {{"listen", choices.listen},
                    {"api_port", choices.api_port},
                    {"link_port", choices.link_port},
                    {"scanner_port", choices.scanner_port}};
  return base::write_file_atomic(choices_path(home), now.dump(2) + "\n", base::kPrivateFile);
}

std::string with_port(const std::string& address, int port) {
  const bool v6 = address.find(':') != std::string::npos && !address.starts_with('[');
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

std::string reachable(const std::string& listen) {
  if (listen == "0.0.0.0") return "127.0.0.1";
  return listen == "::" || listen == "[::]" ? "::1" : listen;
}

std::vector<std::string> init_command(const std::string& programs, const std::string& home,
                                      const NodeChoices& choices) {
  std::vector<std::string> command = node_command(programs, home, "init");
  if (reachable(choices.listen) == choices.listen) command.insert(command.end(), {"--names", choices.listen});
  return command;
}

std::vector<std::string> serve_command(const std::string& programs, const std::string& home,
                                       const NodeChoices& choices) {
  std::vector<std::string> command = node_command(programs, home, "serve");
  command.insert(command.end(), {"--api", with_port(choices.listen, choices.api_port), "--link",
                                 with_port(choices.listen, choices.link_port), "--scanner",
                                 with_port(choices.listen, choices.scanner_port)});
  return command;
}

}  // namespace redoubt::cli
