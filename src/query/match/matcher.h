// The streaming back end: many expressions at once over batches of events. Predicates that several rules share are
// evaluated once an event; a rule is looked at only if a predicate it cannot do without holds.
// compile() once, then match() from one thread at a time (scratch buffers are reused; make one matcher a thread).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "event/batch.h"
#include "query/expression.h"

namespace redoubt::query::match {

struct Hit {
  uint32_t row;   // of the batch
  uint32_t rule;  // index into the expressions given to compile()

  friend auto operator<=>(const Hit&, const Hit&) = default;
};

class Matcher {
 public:
  // The expressions must be normalized.
  static Result<Matcher> compile(std::span<const Expression> rules);
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;
  ~Matcher();

  // Appends the hits, in order of row and then rule.
  void match(const event::Batch& batch, std::vector<Hit>& hits);

 private:
  struct Program;
  explicit Matcher(std::unique_ptr<Program> program);
  std::unique_ptr<Program> program_;
};

}  // namespace redoubt::query::match
