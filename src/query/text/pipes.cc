#include "query/text/pipes.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "query/text/resolve.h"
#include "query/text/value.h"

namespace redoubt::query::text {

namespace {

enum class PipeKind : uint8_t { since, until, sort, limit, fields, count, distinct, rare };

struct PipeName {
  std::string_view keyword;
  PipeKind kind;
  std::string_view usage;
};

constexpr std::array<PipeName, 8> kPipes{{
    {"SINCE", PipeKind::since, "since 7d, since 2026-11-22"},
    {"UNTIL", PipeKind::until, "until now-1h, until 2026-11-22"},
    {"SORT", PipeKind::sort, "sort FIELD asc|desc"},
    {"LIMIT", PipeKind::limit, "limit 100"},
    {"FIELDS", PipeKind::fields, "fields FIELD, FIELD"},
    {"COUNT", PipeKind::count, "count by FIELD top 10, count per hour"},
    {"DISTINCT", PipeKind::distinct, "distinct FIELD"},
    {"RARE", PipeKind::rare, "rare FIELD by FIELD"},
}};

struct WidthName {
  std::string_view keyword;
  int64_t us;
};

constexpr std::array<WidthName, 5> kWidths{{
    {"SECOND", base::kSecondUs},
    {"MINUTE", base::kMinuteUs},
    {"HOUR", base::kHourUs},
    {"DAY", base::kDayUs},
    {"WEEK", 7 * base::kDayUs},
}};

// Applies one pipe; `at` walks over its tokens.
class PipeReader {
 public:
  PipeReader(std::string_view source, const PipeSyntax& pipe, base::Time now)
      : source_(source), pipe_(pipe), now_(now) {}

  Outcome<Hunt> apply(const PipeName& name, Hunt hunt) {
    usage_ = name.usage;
    ++at_;
    REDOUBT_OUTCOME(hunt, dispatch(name.kind, std::move(hunt)));
    if (const Token* extra = peek()) return wrong(extra->span, "'" + extra->text + "' is not expected here");
    return hunt;
  }

 private:
  const Token* peek() const { return at_ < pipe_.tokens.size() ? &pipe_.tokens[at_] : nullptr; }
  Span place() const { return peek() != nullptr ? peek()->span : pipe_.end; }

  tl::unexpected<Diagnostic> wrong(Span at, std::string message) const {
    return complain(source_, at, {"Q402", std::move(message), "it is written: " + std::string(usage_)});
  }

  bool take_keyword(std::string_view keyword) {
    if (peek() == nullptr || !peek()->is_keyword(keyword)) return false;
    ++at_;
    return true;
  }

  Outcome<Hunt> dispatch(PipeKind kind, Hunt hunt) {
    switch (kind) {
      case PipeKind::since: return bound(std::move(hunt), &Hunt::since);
      case PipeKind::until: return bound(std::move(hunt), &Hunt::until);
      case PipeKind::sort: return sort(std::move(hunt));
      case PipeKind::limit: return limit(std::move(hunt));
      case PipeKind::fields: return fields(std::move(hunt));
      case PipeKind::count: return count(std::move(hunt));
      case PipeKind::distinct: return distinct(std::move(hunt));
      case PipeKind::rare: return rare(std::move(hunt));
    }
    return hunt;
  }

  Outcome<event::Field> field() {
    if (peek() == nullptr) return wrong(place(), "a field name is expected here");
    return single_field(source_, pipe_.tokens[at_++]);
  }

  Outcome<uint32_t> number(uint32_t most) {
    uint32_t value = 0;
    const Token* token = peek();
    if (token == nullptr) return wrong(place(), "a number is expected here");
    const std::string& text = token->text;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > most) {
      return wrong(token->span, "'" + text + "' is not a number from 1 to " + std::to_string(most));
    }
    ++at_;
    return value;
  }

  // A duration is that long ago.
  Outcome<Hunt> bound(Hunt hunt, std::optional<base::Time> Hunt::* part) {
    const Token* token = peek();
    if (token == nullptr) return wrong(place(), "a time or duration is expected here");
    ++at_;
    if (const auto ago_us = base::parse_duration_us(token->text)) {
      hunt.*part = base::Time{now_.us - *ago_us};
      return hunt;
    }
    REDOUBT_OUTCOME(hunt.*part, read_time(source_, *token, now_));
    return hunt;
  }

  Outcome<Hunt> sort(Hunt hunt) {
    REDOUBT_OUTCOME(hunt.sort, field());
    const bool newest_first = event::info(hunt.sort).type == event::FieldType::time;
    hunt.direction = newest_first ? Direction::descending : Direction::ascending;
    if (take_keyword("ASC")) {
      hunt.direction = Direction::ascending;
    } else if (take_keyword("DESC")) {
      hunt.direction = Direction::descending;
    }
    return hunt;
  }

  Outcome<Hunt> limit(Hunt hunt) {
    REDOUBT_OUTCOME(hunt.limit, number(kHuntLimitMax));
    return hunt;
  }

  // A name that stands for several fields shows all of them.
  Outcome<Hunt> fields(Hunt hunt) {
    do {
      const Token* token = peek();
      if (token == nullptr || token->kind != TokenKind::word) return wrong(place(), "a field name is expected here");
      const auto meanings = meanings_of(token->text);
      if (meanings.empty()) return unknown_field(source_, *token);
      for (const event::NamedField& meaning : meanings) {
        const bool shown = std::find(hunt.fields.begin(), hunt.fields.end(), meaning.field) != hunt.fields.end();
        if (!shown) hunt.fields.push_back(meaning.field);
      }
      ++at_;
    } while (take_comma());
    return hunt;
  }

  bool take_comma() {
    if (peek() == nullptr || !peek()->is_symbol(",")) return false;
    ++at_;
    return true;
  }

  Outcome<Hunt> count(Hunt hunt) {
    if (take_keyword("BY")) {
      CountBy by{};
      REDOUBT_OUTCOME(by.field, field());
      if (take_keyword("TOP")) {
        REDOUBT_OUTCOME(by.top, number(kHuntLimitMax));
      }
      hunt.aggregate = by;
      return hunt;
    }
    if (!take_keyword("PER")) return wrong(place(), "'by' or 'per' is expected here");
    REDOUBT_OUTCOME(const int64_t width_us, width());
    hunt.aggregate = CountPer{width_us};
    return hunt;
  }

  Outcome<int64_t> width() {
    const Span at = place();
    for (const WidthName& row : kWidths) {
      if (take_keyword(row.keyword)) return row.us;
    }
    const auto duration_us = peek() != nullptr ? base::parse_duration_us(peek()->text) : Result<int64_t>(0);
    if (!duration_us || *duration_us < base::kSecondUs) {
      return wrong(at, "second, minute, hour, day, week or a duration of at least 1s is expected here");
    }
    ++at_;
    return *duration_us;
  }

  Outcome<Hunt> distinct(Hunt hunt) {
    REDOUBT_OUTCOME(const event::Field value, field());
    hunt.aggregate = Distinct{value};
    return hunt;
  }

  Outcome<Hunt> rare(Hunt hunt) {
    REDOUBT_OUTCOME(const event::Field value, field());
    if (!take_keyword("BY")) return wrong(place(), "'by' is expected here");
    REDOUBT_OUTCOME(const event::Field by, field());
    hunt.aggregate = Rare{value, by};
    return hunt;
  }

  std::string_view source_;
  const PipeSyntax& pipe_;
  base::Time now_;
  std::string_view usage_;
  size_t at_ = 0;
};

Outcome<PipeName> pipe_named(std::string_view source, const PipeSyntax& pipe) {
  std::string all;
  std::vector<std::string_view> names;
  for (const PipeName& row : kPipes) {
    if (!pipe.tokens.empty() && pipe.tokens.front().is_keyword(row.keyword)) return row;
    names.push_back(row.keyword);
    all += (all.empty() ? "" : ", ") + base::fold_case(row.keyword);
  }
  if (pipe.tokens.empty())
    return complain(source, pipe.end, {"Q401", "a pipe's name is expected here", "there are " + all});
  const Token& token = pipe.tokens.front();
  const auto nearest = base::nearest_names(token.text, names, 1);
  return complain(source, token.span,
                  {"Q401", "pipe '" + token.text + "' is not known",
                   nearest.empty() ? "there are " + all : "did you mean '" + base::fold_case(nearest.front()) + "'?"});
}

bool is_figure(PipeKind kind) {
  return kind == PipeKind::count || kind == PipeKind::distinct || kind == PipeKind::rare;
}

}  // namespace

Outcome<Hunt> apply_pipes(std::string_view source, const std::vector<PipeSyntax>& pipes, base::Time now, Hunt hunt) {
  std::vector<PipeKind> seen;
  for (const PipeSyntax& pipe : pipes) {
    REDOUBT_OUTCOME(const PipeName name, pipe_named(source, pipe));
    const auto same = std::find_if(seen.begin(), seen.end(), [&](PipeKind kind) {
      return kind == name.kind || (is_figure(kind) && is_figure(name.kind));
    });
    if (same != seen.end()) {
      const bool again = *same == name.kind;
      return complain(
          source, pipe.tokens.front().span,
          {"Q403", again ? "this pipe stands here twice" : "a hunt has one of count, distinct and rare", ""});
    }
    seen.push_back(name.kind);
    REDOUBT_OUTCOME(hunt, PipeReader(source, pipe, now).apply(name, std::move(hunt)));
    if (hunt.since && hunt.until && *hunt.since >= *hunt.until) {
      return complain(source, pipe.tokens.front().span, {"Q404", "since is not before until", ""});
    }
  }
  hunt.limit_written = std::find(seen.begin(), seen.end(), PipeKind::limit) != seen.end();
  if (!hunt.limit_written && std::holds_alternative<CountPer>(hunt.aggregate)) hunt.limit = kHuntLimitMax;
  return hunt;
}

}  // namespace redoubt::query::text
