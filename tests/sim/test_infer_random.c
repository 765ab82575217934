/* SPDX-License-Identifier: MIT */
/*
 * Random chains, a schema at a random cut, random drift and stamps, seeded.
 *
 * (a) Without drift the candidates contain the truth. (b) A decision of none or stamp never ends at
 * a cut that differs from the truth in what it does to the schema, or by a data step: except where
 * a stamp that nothing in the schema contradicts says so, or where drift has undone exactly the
 * effects in question. As a control, an inference that takes the latest revision whose first
 * element exists goes through the same checker and must be caught.
 *
 *	test_infer_random [FIRST-SEED COUNT]
 */
#include <stdint.h>

#include "tests/unit/infer_lab.h"

enum {
	REVISIONS_MAX = 14,
};

struct random {
	uint64_t state;
};

/* xorshift64*, Vigna 2016 */
static unsigned roll(struct random *random, unsigned sides)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (unsigned)((random->state * 0x2545f4914f6cdd1dULL) >> 33) % sides;
}

struct world {
	struct random random;
	struct ath_arena arena;
	struct lab_row rows[REVISIONS_MAX]; /* as the inference sees them */
	const char *hidden[REVISIONS_MAX];  /* as they really are */
	size_t len;
	const char *base; /* tables that no revision makes */
	unsigned names;   /* given so far */
	bool is_linear;
	struct lab lab;
	bool truth[REVISIONS_MAX];
	struct lab_live live;
	bool has_drift;
	const char *stamp;
};

static const char *schema_text(struct world *world, const bool *cut, struct lab_live *live)
{
	lab_run(live, world->base, &world->arena);
	for (size_t i = 0; i < world->len; i++) {
		if (cut[i])
			lab_run(live, world->hidden[i], &world->arena);
	}
	return world->base;
}

/* A random element of a kind in a schema, or NULL. */
static const struct ath_element *pick(struct world *world, const struct lab_live *live,
				      enum ath_element_kind kind)
{
	size_t start = live->items.len ? roll(&world->random, (unsigned)live->items.len) : 0;

	for (size_t i = 0; i < live->items.len; i++) {
		const struct ath_element *one = &live->items.items[(start + i) % live->items.len];

		if (one->kind == kind)
			return one;
	}
	return NULL;
}

static const char *name_of_column(const struct ath_element *column)
{
	return strchr(column->key, '.') + 1;
}

/* One change that the schema allows, as a word of the lab; "" where there is none. */
static const char *invent(struct world *world, const struct lab_live *live, unsigned *tie)
{
	const struct ath_element *table = pick(world, live, ATH_ELEMENT_TABLE);
	const struct ath_element *column = pick(world, live, ATH_ELEMENT_COLUMN);
	const struct ath_element *index = pick(world, live, ATH_ELEMENT_INDEX);
	struct ath_arena *arena = &world->arena;
	unsigned what = roll(&world->random, 20), n = ++world->names;

	if (what < 4 || !table)
		return ath_arena_printf(arena, "+T:t%u(id,a%u,b%u) %s%u%s", n, n, n,
					what & 1 ? "+I:t" : "+C:t", n,
					what & 1 ? ath_arena_printf(arena, "(a%u)", n) : ".more");
	if (what < 10)
		return ath_arena_printf(arena, "+C:%s.c%u:INT", table->table, n);
	if (what < 13 && column)
		return ath_arena_printf(arena, "+%c:%s(%s,id)", what & 1 ? 'I' : 'U', column->table,
					name_of_column(column));
	if (what < 15 && column && strcmp(name_of_column(column), "id"))
		return ath_arena_printf(arena, "-C:%s.%s", column->table, name_of_column(column));
	if (what == 15)
		return ath_arena_printf(arena, "-T:%s", table->table);
	if (what == 16 && index)
		return ath_arena_printf(arena, "-I:%s", index->key + strlen("index "));
	if (what == 17 && column && strcmp(name_of_column(column), "id")) {
		++*tie;
		return ath_arena_printf(arena, "-C:%s.%s@%u +C:%s.r%u@%u", column->table,
					name_of_column(column), *tie, column->table, n, *tie);
	}
	if (what == 18) {
		++*tie;
		return ath_arena_printf(arena, "-T:%s@%u +T:n%u@%u", table->table, *tie, n, *tie);
	}
	if (what == 19 && column)
		return ath_arena_printf(arena, "~C:%s.%s:TYPE%u", column->table,
					name_of_column(column), n % 3);
	return "";
}

/* Does a word drop or rename something of a table that a text names? */
static bool undoes(const char *word, const char *text)
{
	char table[32];

	return sscanf(word, "-%*c:%31[a-z0-9]", table) == 1 && strstr(text, table);
}

/* The ancestors of a revision among the rows made so far: what it may touch. */
static void close_over(const struct world *world, bool *set)
{
	for (size_t i = world->len; i-- > 0;) {
		for (const char *at = set[i] ? world->rows[i].downs : NULL; at && *at;) {
			set[atoi(at + 1)] = true;
			at = strchr(at, ' ');
			at = at ? at + 1 : NULL;
		}
	}
}

static const char *choose_parents(struct world *world, bool *set)
{
	size_t i = world->len;
	size_t one = i ? i - 1 : 0, other;

	if (!i)
		return NULL;
	if (!world->is_linear)
		one = i - 1 - roll(&world->random, i < 3 ? (unsigned)i : 3);
	set[one] = true;
	close_over(world, set);
	other = roll(&world->random, (unsigned)i);
	if (!world->is_linear && !set[other] && roll(&world->random, 2)) {
		set[other] = true;
		close_over(world, set);
		return ath_arena_printf(&world->arena, "r%02zu r%02zu", one, other);
	}
	return ath_arena_printf(&world->arena, "r%02zu", one);
}

/* Only what all revisions so far have left and this one's ancestors have made. */
static void keep_common(struct lab_live *own, const struct lab_live *all)
{
	for (size_t i = own->items.len; i-- > 0;) {
		size_t n = 0;

		while (n < all->items.len &&
		       strcmp(all->items.items[n].key, own->items.items[i].key))
			n++;
		if (n == all->items.len)
			lab_remove_at(own, i);
	}
}

static bool has_blind(const struct world *world)
{
	size_t i = 0;

	while (i < world->len && (!world->rows[i].traits || !strcmp(world->rows[i].traits, "data")))
		i++;
	return i < world->len;
}

static void add_revision(struct world *world)
{
	bool set[REVISIONS_MAX] = { 0 }, all[REVISIONS_MAX];
	size_t i = world->len;
	struct lab_row *row = &world->rows[i];
	struct lab_live own = { 0 }, whole = { 0 };
	unsigned trait = roll(&world->random, 16), tie = 0, words = 1 + roll(&world->random, 3);
	const char *text = "", *shown = "";

	row->id = ath_arena_printf(&world->arena, "r%02zu", i);
	row->downs = choose_parents(world, set);
	memset(all, true, sizeof(all));
	schema_text(world, set, &own);
	schema_text(world, all, &whole);
	keep_common(&own, &whole);
	if (trait < 4)
		words = trait == 3 ? words : 0;
	for (unsigned n = 0; n < words; n++) {
		const char *word = invent(world, &own, &tie);

		if (trait == 5 && undoes(word, shown))
			continue; /* what can be read of a revision is at least what it does */
		lab_run(&own, word, &world->arena);
		text = ath_arena_printf(&world->arena, "%s %s", text, word);
		if (!n)
			shown = text;
	}
	if (trait == 2) {
		const struct ath_element *again = pick(world, &own, ATH_ELEMENT_COLUMN);

		/* not what stands there before the chain, or what a blind revision has made */
		if (again && !strchr("xyzi", *name_of_column(again)) && !has_blind(world))
			text = ath_arena_printf(&world->arena, "+C:%s.%s", again->table,
						name_of_column(again));
	}
	row->effects = trait == 5 ? shown : text;
	row->traits = trait == 0 || trait == 3 ? "data"
		      : trait == 4             ? "blind"
		      : trait == 5             ? "lower"
					       : NULL;
	world->hidden[i] = text;
	world->len++;
	ath_vec_fini(&own.items);
	ath_vec_fini(&whole.items);
}

static bool is_taken(const struct world *world, const bool *set, size_t i)
{
	bool needs[REVISIONS_MAX] = { 0 };

	needs[i] = true;
	close_over(world, needs);
	for (size_t n = 0; n < i; n++) {
		if (needs[n] && !set[n])
			return false;
	}
	return true;
}

static void roll_cut(struct world *world, bool *cut)
{
	size_t depth = roll(&world->random, (unsigned)world->len + 1);

	memset(cut, 0, REVISIONS_MAX);
	for (size_t i = 0; i < depth; i++)
		cut[i] = is_taken(world, cut, i) && (world->is_linear || roll(&world->random, 5));
}

static const char *rows_of(struct world *world, const bool *cut)
{
	bool is_parent[REVISIONS_MAX] = { 0 };
	const char *text = "";

	for (size_t i = 0; i < world->len; i++) {
		bool needs[REVISIONS_MAX] = { 0 };

		if (!cut[i])
			continue;
		needs[i] = true;
		close_over(world, needs);
		for (size_t n = 0; n < i; n++)
			is_parent[n] = is_parent[n] || needs[n];
	}
	for (size_t i = 0; i < world->len; i++) {
		if (cut[i] && !is_parent[i])
			text = ath_arena_printf(&world->arena, "%s%sr%02zu", text, *text ? " " : "",
						i);
	}
	return text;
}

/* Columns that the chain has dropped come back. */
static void put_leftovers(struct world *world)
{
	for (size_t i = 0; i < world->len; i++) {
		struct ath_texts words = lab_words(&world->arena, world->hidden[i], " ");

		for (size_t n = 0; n < words.len; n++) {
			char *word = ath_arena_strdup(&world->arena, words.items[n]);
			char *dot = strchr(word, '.');

			if (!world->truth[i] || strncmp(word, "-C:", 3) || strchr(word, '@') ||
			    roll(&world->random, 2))
				continue;
			*dot = '\0';
			for (size_t t = 0; t < world->live.items.len; t++) {
				if (!strcmp(world->live.items.items[t].key,
					    ath_element_table_key(&world->arena, word + 3))) {
					*word = '+';
					*dot = '.';
					lab_run(&world->live, word, &world->arena);
					break;
				}
			}
		}
	}
}

static void drift(struct world *world)
{
	const struct ath_element *one = pick(world, &world->live, ATH_ELEMENT_TABLE);
	const char *table = one ? one->table : NULL;
	unsigned what = roll(&world->random, 32);

	world->has_drift = true;
	if (what & 1)
		lab_run(&world->live, "+T:zz(id,z) +I:zz(z) +V:zv", &world->arena);
	if ((what & 2) && table)
		lab_run(&world->live,
			ath_arena_printf(&world->arena, "+C:%s.zz +I:%s(id,zz)", table, table),
			&world->arena);
	one = pick(world, &world->live,
		   roll(&world->random, 2) ? ATH_ELEMENT_INDEX : ATH_ELEMENT_UNIQUE);
	if ((what & 4) && one)
		lab_remove_at(&world->live, (size_t)(one - world->live.items.items));
	one = pick(world, &world->live, ATH_ELEMENT_COLUMN);
	if ((what & 8) && one)
		world->live.items.items[one - world->live.items.items].attributes.type = "ZZZ";
	if (what & 16)
		put_leftovers(world);
}

static void set_up(struct world *world, uint64_t seed)
{
	bool stamped[REVISIONS_MAX];
	size_t len;

	memset(world, 0, sizeof(*world));
	world->random.state = (seed + 1) * 0x9e3779b97f4a7c15ULL;
	world->is_linear = roll(&world->random, 3);
	world->base = roll(&world->random, 2) ? "+T:b0(id,x,y) +T:b1(id,z)" : "";
	len = 1 + roll(&world->random, REVISIONS_MAX);
	while (world->len < len)
		add_revision(world);
	lab_set_up(&world->lab, world->rows, world->len);
	roll_cut(world, world->truth);
	schema_text(world, world->truth, &world->live);
	if (roll(&world->random, 2))
		drift(world);
	switch (roll(&world->random, 4)) {
	case 0:
		world->stamp = rows_of(world, world->truth);
		break;
	case 1:
		roll_cut(world, stamped);
		world->stamp = rows_of(world, stamped);
		break;
	case 2:
		world->stamp = "";
		break;
	default:
		world->stamp = NULL;
	}
}

static void tear_down(struct world *world)
{
	lab_tear_down(&world->lab);
	ath_vec_fini(&world->live.items);
	ath_arena_fini(&world->arena);
}

static bool has_key(const struct lab_live *live, const char *key)
{
	for (size_t i = 0; i < live->items.len; i++) {
		if (!strcmp(live->items.items[i].key, key))
			return true;
	}
	return false;
}

static bool are_equal(const struct lab_live *one, const struct lab_live *other)
{
	for (size_t i = 0; i < one->items.len; i++) {
		if (!has_key(other, one->items.items[i].key))
			return false;
	}
	return one->items.len == other->items.len;
}

/* An index that the readable effects do not name says nothing to an inference. */
static bool is_hidden(const struct world *world, const struct ath_element *one)
{
	if (one->kind != ATH_ELEMENT_INDEX && one->kind != ATH_ELEMENT_UNIQUE)
		return false;
	for (size_t i = 0; i < world->len; i++) {
		for (size_t n = 0; n < world->lab.effects[i].len; n++) {
			if (!strcmp(world->lab.effects[i].items[n].element.key, one->key))
				return false;
		}
	}
	return true;
}

/* Is each element that the two cuts disagree about as the answer has it? Drift has made it so. */
static bool is_as_answered(const struct world *world, const struct lab_live *answer,
			   const struct lab_live *truth)
{
	for (size_t i = 0; i < answer->items.len; i++) {
		const char *key = answer->items.items[i].key;

		if (!has_key(truth, key) && !has_key(&world->live, key) &&
		    !is_hidden(world, &answer->items.items[i]))
			return false;
	}
	for (size_t i = 0; i < truth->items.len; i++) {
		const char *key = truth->items.items[i].key;

		if (!has_key(answer, key) && has_key(&world->live, key) &&
		    !is_hidden(world, &truth->items.items[i]))
			return false;
	}
	return true;
}

static bool has_risk(const struct world *world, const bool *answer)
{
	for (size_t i = 0; i < world->len; i++) {
		if (answer[i] != world->truth[i] && world->rows[i].traits)
			return true;
	}
	return false;
}

/* May a decision of none or stamp end at that cut? */
static bool is_answer_fine(struct world *world, const bool *answer)
{
	struct lab_live there = { 0 }, truth = { 0 };
	bool is_stamp =
		world->stamp && *world->stamp && !strcmp(rows_of(world, answer), world->stamp);
	bool is_fine;

	if (!memcmp(answer, world->truth, world->len))
		return true;
	schema_text(world, answer, &there);
	schema_text(world, world->truth, &truth);
	is_fine = are_equal(&there, &truth) ||
		  (world->has_drift && is_as_answered(world, &there, &truth));
	if (is_stamp)
		for (size_t i = 0; i < world->len; i++)
			is_fine =
				is_fine || (answer[i] != world->truth[i] && world->rows[i].traits &&
					    strcmp(world->rows[i].traits, "data"));
	else
		is_fine = is_fine && !has_risk(world, answer);
	ath_vec_fini(&there.items);
	ath_vec_fini(&truth.items);
	return is_fine;
}

static void read_cut(const struct world *world, const char *ids, bool *cut)
{
	memset(cut, 0, REVISIONS_MAX);
	for (const char *at = ids; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		cut[atoi(at + 1)] = true;
	close_over(world, cut);
}

static void show(struct world *world, uint64_t seed, const char *what,
		 const struct ath_inference *out)
{
	printf("seed %llu: %s\n  base %s\n", (unsigned long long)seed, what, world->base);
	for (size_t i = 0; i < world->len; i++)
		printf("  %c %s <- %s [%s] %s\n", world->truth[i] ? '*' : ' ', world->rows[i].id,
		       world->rows[i].downs ? world->rows[i].downs : "-",
		       world->rows[i].traits ? world->rows[i].traits : "", world->hidden[i]);
	for (size_t i = 0; i < world->live.items.len; i++)
		printf("  %s\n", world->live.items.items[i].key);
	printf("  stamp %s%s; %s -> %s, inferred %s, candidates %s\n  %s\n",
	       world->stamp ? world->stamp : "none", world->has_drift ? ", drift" : "",
	       ath_verdict_name(out->verdict), ath_decision_name(out->decision),
	       out->inferred ? out->inferred : "null", lab_join(&world->arena, &out->candidates),
	       out->reason);
}

struct tally {
	size_t verdicts[ATH_VERDICT_COUNT_], decisions[ATH_DECISION_COUNT_];
	size_t without_drift, confident, lost, wrong, naive, naive_wrong;
};

static bool has_candidate(struct world *world, const struct ath_inference *out)
{
	bool cut[REVISIONS_MAX];

	for (size_t i = 0; i < out->candidates.len; i++) {
		read_cut(world, out->candidates.items[i], cut);
		if (!memcmp(cut, world->truth, world->len))
			return true;
	}
	return false;
}

/* Take the latest revision whose first element exists. */
static void infer_naively(struct world *world, struct tally *tally)
{
	bool cut[REVISIONS_MAX] = { 0 };

	for (size_t i = world->len; i-- > 0;) {
		const struct ath_effects *effects = &world->lab.effects[i];

		if (effects->len && has_key(&world->live, effects->items[0].element.key)) {
			cut[i] = true;
			break;
		}
	}
	close_over(world, cut);
	tally->naive++;
	tally->naive_wrong += !is_answer_fine(world, cut);
}

static void run(uint64_t seed, struct tally *tally)
{
	struct world *world = ath_mem_new(1, sizeof(*world));
	bool cut[REVISIONS_MAX];
	struct ath_inference out;

	set_up(world, seed);
	out = lab_infer(&world->lab, &world->live, NULL, world->stamp);
	tally->verdicts[out.verdict]++;
	tally->decisions[out.decision]++;
	if (!world->has_drift && out.verdict != ATH_VERDICT_EMPTY) {
		tally->without_drift++;
		if (!has_candidate(world, &out) && !tally->lost++)
			show(world, seed, "the truth is no candidate", &out);
	}
	if (out.decision == ATH_DECISION_NONE || out.decision == ATH_DECISION_STAMP) {
		tally->confident++;
		read_cut(world, out.inferred, cut);
		if (!is_answer_fine(world, cut) && tally->wrong++ < 3)
			show(world, seed, "confident and wrong", &out);
	}
	infer_naively(world, tally);
	tear_down(world);
	free(world);
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 2 ? strtoull(argv[1], NULL, 10) : 0;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
	struct tally tally = { 0 };

	for (uint64_t seed = first; seed < first + count; seed++)
		run(seed, &tally);
	for (int i = 0; i < ATH_VERDICT_COUNT_; i++)
		printf("%s %zu%s", ath_verdict_name((enum ath_verdict)i), tally.verdicts[i],
		       i + 1 < ATH_VERDICT_COUNT_ ? ", " : "\n");
	for (int i = 0; i < ATH_DECISION_COUNT_; i++)
		printf("%s %zu%s", ath_decision_name((enum ath_decision)i), tally.decisions[i],
		       i + 1 < ATH_DECISION_COUNT_ ? ", " : "\n");
	printf("%llu seeds from %llu: truth lost %zu of %zu without drift, "
	       "wrong %zu of %zu confident; naive control wrong %zu of %zu\n",
	       (unsigned long long)count, (unsigned long long)first, tally.lost,
	       tally.without_drift, tally.wrong, tally.confident, tally.naive_wrong, tally.naive);
	return tally.lost || tally.wrong || tally.naive_wrong < tally.naive / 10;
}
