// redoubt login: a password from standard input becomes a profile.
#include <termios.h>
#include <unistd.h>
#include <array>
#include <iostream>
#include <string>

#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"
#include "apps/redoubt/session.h"

namespace redoubt::cli {

namespace {

std::string machine_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

// One line; not shown while it is typed.
std::string read_password() {
  termios before{};
  const bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    std::cerr << "password: " << std::flush;
  }
  std::string password;
  std::getline(std::cin, password);
  if (terminal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::cerr << "\n";
  }
  return password;
}

}  // namespace

Exit run_login(const Arguments& arguments) {
  const std::string password = read_password();
  const auto profile = make_token({arguments.url, arguments.fingerprint, ""},
                                  {arguments.user, password, "redoubt on " + machine_name()});
  if (!profile) return print_error(profile.error());
  const std::string path = profile_to_write(arguments.home);
  const Status saved = save_profile(path, *profile);
  if (!saved) return print_error(saved.error());
  const bool json = arguments.format == Format::json;
  print_line(json ? "{\"profile\":\"" + path + "\"}" : "logged in to " + arguments.url + "; profile " + path);
  return Exit::ok;
}

}  // namespace redoubt::cli
