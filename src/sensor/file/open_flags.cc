#include "sensor/file/open_flags.h"

#include <fcntl.h>

#include <array>
#include <string_view>

namespace redoubt::sensor {

namespace {

struct OpenFlag {
  uint32_t bits;
  std::string_view name;
};

// Without O_LARGEFILE, which says nothing on 64-bit machines.
constexpr std::array kOpenFlags = {
    OpenFlag{O_CREAT, "O_CREAT"},       OpenFlag{O_APPEND, "O_APPEND"},     OpenFlag{O_DSYNC, "O_DSYNC"},
    OpenFlag{O_EXCL, "O_EXCL"},         OpenFlag{O_NONBLOCK, "O_NONBLOCK"}, OpenFlag{O_SYNC, "O_SYNC"},
    OpenFlag{O_TRUNC, "O_TRUNC"},       OpenFlag{O_DIRECT, "O_DIRECT"},     OpenFlag{O_DIRECTORY, "O_DIRECTORY"},
    OpenFlag{O_NOFOLLOW, "O_NOFOLLOW"}, OpenFlag{O_NOATIME, "O_NOATIME"},   OpenFlag{O_CLOEXEC, "O_CLOEXEC"},
    OpenFlag{O_TMPFILE, "O_TMPFILE"},   OpenFlag{O_PATH, "O_PATH"},
};

std::string_view access_name(uint32_t flags) {
  switch (flags & O_ACCMODE) {
    case O_RDONLY: return "O_RDONLY";
    case O_WRONLY: return "O_WRONLY";
    case O_RDWR: return "O_RDWR";
    default: return "O_NONE";  // neither: for ioctl() only
  }
}

}  // namespace

std::string open_flags_text(uint32_t flags) {
  std::string text(access_name(flags));
  for (const OpenFlag& flag : kOpenFlags) {
    if ((flags & flag.bits) == flag.bits) text.append("|").append(flag.name);
  }
  return text;
}

}  // namespace redoubt::sensor
