// The streaming back end: many expressions at once over batches of events. A rule is looked at only if a constant that
// it cannot do without is in the event; tests that several rules share are evaluated once an event.
// compile() once, then match() from one thread at a time (scratch buffers are reused; make one matcher a thread).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "event/batch.h"
#include "query/expression.h"
#include "query/match/literals.h"

namespace redoubt::query::match {

struct Hit {
  uint32_t row;   // of the batch
  uint32_t rule;  // index into the expressions given to compile()

  friend auto operator<=>(const Hit&, const Hit&) = default;
};

struct MatcherOptions {
  // What finds literals anywhere in a text; the others give the same hits and are for tests.
  LiteralScanner::Engine scanner = LiteralScanner::Engine::best;
};

// What one rule cost so far. Every event is counted; time is taken on every kSampledEvents-th one only.
struct RuleCounter {
  uint64_t evaluated = 0;   // events on which its tests were looked at: a necessary one held
  uint64_t matched = 0;     // of these
  uint64_t sampled_ns = 0;  // spent on the sampled events; tests shared with other rules count for the first of them
};

constexpr uint32_t kSampledEvents = 64;

class Matcher {
 public:
  // The expressions must be normalized.
  static Result<Matcher> compile(std::span<const Expression> rules, MatcherOptions options = {});
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;
  ~Matcher();

  // Appends the hits, in order of row and then rule.
  void match(const event::Batch& batch, std::vector<Hit>& hits);

  // By rule, since compile(). Any thread, also while another one matches.
  std::vector<RuleCounter> counters() const;

 private:
  struct Program;
  explicit Matcher(std::unique_ptr<Program> program);
  std::unique_ptr<Program> program_;
};

}  // namespace redoubt::query::match
