/* Collections as COM has them: an object that enumerates small objects, such as the ranges of AxisRates or the values of
   DeviceState. */
#include "driver.h"

enum { MOST = 8, COUNT_ID = 1, ITEM_ID = 2 };

/* A collection, or with `whole` off an entry of one. */
typedef struct {
    IDispatch iface;
    LONG references;
    BOOL whole;
    int count;
    Entry entries[MOST];
} Node;

static IDispatchVtbl node_methods;

static IDispatch *new_node(BOOL whole, Entry *entries, int count) {
    Node *node = CoTaskMemAlloc(sizeof *node);
    *node = (Node){{&node_methods}, 1, whole, count < MOST ? count : MOST, {{{NULL}, {{{{0}}}}}}};
    for (int i = 0; i < node->count; i++)
        for (int k = 0; k < 2; k++) {
            node->entries[i].names[k] = entries[i].names[k];
            VariantInit(&node->entries[i].values[k]);
            VariantCopy(&node->entries[i].values[k], &entries[i].values[k]);
        }
    return &node->iface;
}

static HRESULT WINAPI node_query(IDispatch *this, REFIID id, void **into) {
    if (IsEqualGUID(id, &IID_IUnknown) || IsEqualGUID(id, &IID_IDispatch)) return *into = this, IDispatch_AddRef(this), S_OK;
    return *into = NULL, E_NOINTERFACE;
}
static ULONG WINAPI node_add(IDispatch *this) { return InterlockedIncrement(&((Node *)this)->references); }
static ULONG WINAPI node_release(IDispatch *this) {
    Node *node = (Node *)this;
    LONG left = InterlockedDecrement(&node->references);
    if (left) return left;
    for (int i = 0; i < node->count; i++) VariantClear(&node->entries[i].values[0]), VariantClear(&node->entries[i].values[1]);
    CoTaskMemFree(node);
    return 0;
}
static HRESULT WINAPI node_count(IDispatch *this, UINT *count) { return (void)this, *count = 0, S_OK; }
static HRESULT WINAPI node_info(IDispatch *this, UINT i, LCID l, ITypeInfo **into) { return (void)this, (void)i, (void)l, *into = NULL, DISP_E_BADINDEX; }
static HRESULT WINAPI node_ids(IDispatch *this, REFIID id, LPOLESTR *names, UINT count, LCID l, DISPID *into) {
    Node *node = (Node *)this;
    static const WCHAR *const OF_THE_WHOLE[] = {L"Count", L"Item"};
    const WCHAR *const *known = node->whole ? OF_THE_WHOLE : node->entries[0].names;
    (void)id, (void)count, (void)l;
    for (int i = 0; i < 2; i++)
        if (!lstrcmpiW(known[i], names[0])) return into[0] = 1 + i, S_OK;
    return into[0] = DISPID_UNKNOWN, DISP_E_UNKNOWNNAME;
}

/* What goes through a collection. */
typedef struct {
    IEnumVARIANT iface;
    LONG references;
    Node *of;
    int at;
} Walk;

static HRESULT WINAPI walk_query(IEnumVARIANT *this, REFIID id, void **into) {
    if (IsEqualGUID(id, &IID_IUnknown) || IsEqualGUID(id, &IID_IEnumVARIANT)) return *into = this, IEnumVARIANT_AddRef(this), S_OK;
    return *into = NULL, E_NOINTERFACE;
}
static ULONG WINAPI walk_add(IEnumVARIANT *this) { return InterlockedIncrement(&((Walk *)this)->references); }
static ULONG WINAPI walk_release(IEnumVARIANT *this) {
    Walk *walk = (Walk *)this;
    LONG left = InterlockedDecrement(&walk->references);
    if (!left) node_release(&walk->of->iface), CoTaskMemFree(walk);
    return left;
}
static HRESULT WINAPI walk_next(IEnumVARIANT *this, ULONG count, VARIANT *out, ULONG *got) {
    Walk *walk = (Walk *)this;
    ULONG given = 0;
    for (; given < count && walk->at < walk->of->count; given++)
        V_VT(&out[given]) = VT_DISPATCH, V_DISPATCH(&out[given]) = new_node(FALSE, &walk->of->entries[walk->at++], 1);
    if (got) *got = given;
    return given == count ? S_OK : S_FALSE;
}
static HRESULT WINAPI walk_skip(IEnumVARIANT *this, ULONG count) { return ((Walk *)this)->at += count, S_OK; }
static HRESULT WINAPI walk_reset(IEnumVARIANT *this) { return ((Walk *)this)->at = 0, S_OK; }
static HRESULT WINAPI walk_clone(IEnumVARIANT *this, IEnumVARIANT **into) { return (void)this, *into = NULL, E_NOTIMPL; }
static IEnumVARIANTVtbl walk_methods = {walk_query, walk_add, walk_release, walk_next, walk_skip, walk_reset, walk_clone};

static HRESULT WINAPI node_invoke(IDispatch *this, DISPID id, REFIID unused, LCID l, WORD how, DISPPARAMS *given, VARIANT *out,
                                  EXCEPINFO *exception, UINT *wrong) {
    Node *node = (Node *)this;
    (void)unused, (void)l, (void)how, (void)given, (void)exception, (void)wrong;
    VariantInit(out);
    if (!node->whole) return id == 1 || id == 2 ? VariantCopy(out, &node->entries[0].values[id - 1]) : DISP_E_MEMBERNOTFOUND;
    if (id == COUNT_ID) return V_VT(out) = VT_I4, V_I4(out) = node->count, S_OK;
    if (id == ITEM_ID && node->count) return V_VT(out) = VT_DISPATCH, V_DISPATCH(out) = new_node(FALSE, node->entries, 1), S_OK;
    if (id != DISPID_NEWENUM) return DISP_E_MEMBERNOTFOUND;
    Walk *walk = CoTaskMemAlloc(sizeof *walk);
    node_add(this);
    *walk = (Walk){{&walk_methods}, 1, node, 0};
    return V_VT(out) = VT_UNKNOWN, V_UNKNOWN(out) = (IUnknown *)&walk->iface, S_OK;
}

static IDispatchVtbl node_methods = {node_query, node_add, node_release, node_count, node_info, node_ids, node_invoke};

void give_collection(Call *call, Entry *entries, int count) {
    V_VT(call->out) = VT_DISPATCH, V_DISPATCH(call->out) = new_node(TRUE, entries, count);
}
