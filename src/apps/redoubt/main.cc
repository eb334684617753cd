// The command-line client: arguments → command → exit code.
#include <cstdio>
#include <exception>

#include "apps/redoubt/arguments.h"
#include "base/processor.h"

int main(int argc, char** argv) {
  using redoubt::cli::Arguments;
  using redoubt::cli::Exit;
  redoubt::base::require_processor();
  const auto parsed = redoubt::cli::parse_arguments(argc, argv);
  if (const Exit* exit = std::get_if<Exit>(&parsed)) return static_cast<int>(*exit);
  try {
    const Arguments& arguments = std::get<Arguments>(parsed);
    return static_cast<int>(arguments.run(arguments));
  } catch (const std::exception& error) {
    // Answers are read with a JSON library that throws on what it does not expect.
    std::fprintf(stderr, "redoubt: unexpected answer of the node: %s\n", error.what());
    return static_cast<int>(Exit::failed);
  }
}
