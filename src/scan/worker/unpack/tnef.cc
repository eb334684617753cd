// TNEF (winmail.dat): the attachments of Outlook's own mails.
#include "scan/worker/unpack/tnef_reader.h"
#include "scan/worker/unpack/unpacker.h"

namespace redoubt::scan {

namespace {

class TnefUnpacker final : public Unpacker {
 public:
  Unpacked unpack(const Container& container, Unpacking& to) override {
    if (!is_tnef(container.content)) return {};
    const Tnef tnef = read_tnef(container.content);
    // An attachment may need the password that the message tells.
    for (const TnefItem& item : tnef.items) {
      if (item.kind == TnefItem::Kind::body) to.passwords.add_from_text(item.content);
    }
    size_t attachments = 0;
    for (const TnefItem& item : tnef.items) {
      if (auto refused = to.budget.take_entry()) return {Unpacked::Coverage::part, refused->why};
      if (item.kind == TnefItem::Kind::attachment) ++attachments;
      Child child;
      child.name = item.name.empty() ? "attachment " + std::to_string(attachments) : item.name;
      child.content = item.content;
      to.add(child);
    }
    if (tnef.problem.empty()) return {Unpacked::Coverage::whole, ""};
    return {Unpacked::Coverage::part, tnef.problem};
  }
};

}  // namespace

std::unique_ptr<Unpacker> open_tnef_unpacker() { return std::make_unique<TnefUnpacker>(); }

}  // namespace redoubt::scan
