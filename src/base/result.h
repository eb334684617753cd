// Errors that a caller can act on. Every fallible function returns Result<T>; a broken invariant ends in CHECK.
// Nothing throws: a library's exceptions end in the .cc that owns the library.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace redoubt::base {

// What kind of failure it is; the API layer maps these to HTTP and gRPC statuses.
enum class Errc {
  invalid_argument,
  not_found,
  already_exists,
  unauthenticated,
  permission_denied,
  too_large,
  exhausted,  // a queue, disk or quota is full: try again later
  unavailable,
  timeout,
  corrupt,
  unsupported,
  io,
  internal,
};

std::string_view name_of(Errc code);

// A failure: its kind and one lower-case sentence that names the object. Context grows outwards:
// `load policy: open /etc/redoubt/x: permission denied`.
struct Error {
  Errc code = Errc::internal;
  std::string message;

  Error within(std::string_view context) &&;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Errc code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

// The failure of the system call that just returned, from errno: `CONTEXT: No such file or directory`.
tl::unexpected<Error> fail_errno(std::string_view context);

// Adds context to the error of a result, if there is one.
template <class T>
Result<T> within(std::string_view context, Result<T> result) {
  if (result) return result;
  return tl::unexpected<Error>(std::move(result).error().within(context));
}

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace redoubt::base

namespace redoubt {
using base::Errc;
using base::Error;
using base::fail;
using base::Result;
using base::Status;
}  // namespace redoubt

#define REDOUBT_CONCAT_INNER(a, b) a##b
#define REDOUBT_CONCAT(a, b) REDOUBT_CONCAT_INNER(a, b)
#define REDOUBT_TRY(tmp, ret, declaration, ...)                                   \
  auto tmp = (__VA_ARGS__);                                                       \
  if (!tmp) ret ::tl::unexpected<::redoubt::base::Error>(std::move(tmp).error()); \
  declaration = *std::move(tmp)
#define REDOUBT_TRY_STATUS(tmp, ret, ...) \
  if (auto tmp = (__VA_ARGS__); !tmp) ret ::tl::unexpected<::redoubt::base::Error>(std::move(tmp).error())

// TRY(auto x, f()): x is the value of f(), or the function returns f()'s error.
#define TRY(declaration, ...) REDOUBT_TRY(REDOUBT_CONCAT(try_, __COUNTER__), return, declaration, __VA_ARGS__)
#define CO_TRY(declaration, ...) REDOUBT_TRY(REDOUBT_CONCAT(try_, __COUNTER__), co_return, declaration, __VA_ARGS__)
// TRY_STATUS(f()): the same for a Status.
#define TRY_STATUS(...) REDOUBT_TRY_STATUS(REDOUBT_CONCAT(try_, __COUNTER__), return, __VA_ARGS__)
#define CO_TRY_STATUS(...) REDOUBT_TRY_STATUS(REDOUBT_CONCAT(try_, __COUNTER__), co_return, __VA_ARGS__)

// A bug if false: prints the expression and aborts.
#define CHECK(expression)                                                              \
  do {                                                                                 \
    if (!(expression)) ::redoubt::base::check_failed(#expression, __FILE__, __LINE__); \
  } while (false)
