#include "base/result.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace redoubt::base {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return "invalid_argument";
    case Errc::not_found: return "not_found";
    case Errc::already_exists: return "already_exists";
    case Errc::unauthenticated: return "unauthenticated";
    case Errc::permission_denied: return "permission_denied";
    case Errc::too_large: return "too_large";
    case Errc::exhausted: return "exhausted";
    case Errc::unavailable: return "unavailable";
    case Errc::timeout: return "timeout";
    case Errc::corrupt: return "corrupt";
    case Errc::unsupported: return "unsupported";
    case Errc::io: return "io";
    case Errc::internal: return "internal";
  }
  return "internal";
}

Error Error::within(std::string_view context) && {
  std::string text(context);
  text += ": ";
  text += message;
  return Error{code, std::move(text)};
}

tl::unexpected<Error> fail_errno(std::string_view context) {
  const int number = errno;
  Errc code = Errc::io;
  if (number == ENOENT) code = Errc::not_found;
  if (number == EACCES || number == EPERM) code = Errc::permission_denied;
  if (number == EEXIST) code = Errc::already_exists;
  if (number == ENOSPC || number == EDQUOT || number == EMFILE) code = Errc::exhausted;
  return fail(code, std::string(context) + ": " + std::strerror(number));
}

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "check failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace redoubt::base
